using System.Globalization;
using Hadal.Data.Decontamination;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Sources;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Drops documents that hold items of evaluation sets, or cuts these out. <see cref="Load"/> comes first.</summary>
internal sealed class DecontaminationStep(DecontaminationRecipe recipe) : IDocumentStep
{
    private ContaminationIndex? _index;

    public string Stage => "decontaminate";

    /// <summary>Reads the sets.</summary>
    /// <param name="report">Receives records that could not be used.</param>
    /// <exception cref="DataException">A set is not there, or has none of its fields.</exception>
    public void Load(IReadReport report) => _index = ContaminationIndex.Build(recipe.Sets.SelectMany(s => s.Read(report)), recipe.Rules);

    public StepResult Apply(StoredDocument document)
    {
        var verdict = _index!.Judge(document.Text);
        if (verdict.Found is not { } found) return StepResult.Keep(document);
        string detail = string.Create(CultureInfo.InvariantCulture, $"{found.MatchedShare:0%} of the {found.Part.ToString().ToLowerInvariant()} of item {found.Item} of {found.Set}");
        return verdict.Text is { } rest ? StepResult.Keep(document with { Text = rest }, [(found.Set, 1)]) : StepResult.Drop(found.Set, detail);
    }
}
