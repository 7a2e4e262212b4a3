using System.Globalization;
using Hadal.Data.Decontamination;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Drops documents that hold items of evaluation sets, or cuts these out. The index is built when it is first needed.</summary>
internal sealed class DecontaminationStep(DecontaminationRecipe recipe) : IDocumentStep
{
    private readonly Lazy<ContaminationIndex> _index = new(() => ContaminationIndex.Build(recipe.Sets.SelectMany(s => s.Read()), recipe.Rules));

    public string Stage => "decontaminate";

    public StepResult Apply(StoredDocument document)
    {
        var verdict = _index.Value.Judge(document.Text);
        if (verdict.Found is not { } found) return StepResult.Keep(document);
        string detail = string.Create(CultureInfo.InvariantCulture, $"{found.MatchedShare:0%} of the {found.Part.ToString().ToLowerInvariant()} of item {found.Item} of {found.Set}");
        return verdict.Text is { } rest ? StepResult.Keep(document with { Text = rest }, [(found.Set, 1)]) : StepResult.Drop(found.Set, detail);
    }
}
