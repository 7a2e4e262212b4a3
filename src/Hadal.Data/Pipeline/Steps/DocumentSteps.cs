using System.Globalization;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Stages;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Which steps a recipe asks for, in the order in which they are done.</summary>
internal static class DocumentSteps
{
    /// <summary>All stages that documents go through, as a recipe may name them.</summary>
    public static IReadOnlyList<string> StagesOf(DataRecipe recipe) =>
        [ReadStage.Name, .. BeforeDeduplication(recipe).Select(s => s.Stage), DeduplicationStages.Exact, DeduplicationStages.Near, .. AfterDeduplication(recipe).Select(s => s.Stage)];

    public static IReadOnlyList<IDocumentStep> BeforeDeduplication(DataRecipe recipe)
    {
        var steps = new List<IDocumentStep>();
        if (recipe.Clean is { } clean) steps.Add(new CleaningStep(clean));
        if (recipe.Languages != LanguageChoice.Off || recipe.KeepLanguages.Count > 0) steps.Add(new LanguageStep(recipe.Languages, recipe.KeepLanguages));
        // Sets of the same name are stages of their own: rules, rules-2.
        foreach (var same in recipe.Quality.Select((quality, i) => (quality, Before: recipe.Quality.Take(i).Count(q => q.Name == quality.Name))))
            steps.Add(new QualityStep(same.Before == 0 ? same.quality.Name : string.Create(CultureInfo.InvariantCulture, $"{same.quality.Name}-{same.Before + 1}"), same.quality.Rules));
        return steps;
    }

    public static IReadOnlyList<IDocumentStep> AfterDeduplication(DataRecipe recipe)
    {
        var steps = new List<IDocumentStep>();
        if (recipe.Privacy is { } privacy) steps.Add(new PrivacyStep(privacy));
        if (recipe.Decontaminate is { } sets) steps.Add(new DecontaminationStep(sets));
        return steps;
    }
}
