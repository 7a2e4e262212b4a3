using System.Globalization;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Quality;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Drops documents that break a rule, and lines that a rule takes out.</summary>
/// <param name="name">Which set of rules.</param>
/// <param name="rules">The rules.</param>
internal sealed class QualityStep(string name, QualityRules rules) : IDocumentStep
{
    public string Stage => $"quality-{name}";

    public StepResult Apply(StoredDocument document)
    {
        var verdict = QualityCheck.Judge(document.Text, document.Language, rules);
        if (verdict.Rule is { } rule) return StepResult.Drop(rule, string.Create(CultureInfo.InvariantCulture, $"{verdict.Value:0.####} where the limit is {verdict.Limit:0.####}"));
        return verdict.RemovedLines == 0 ? StepResult.Keep(document) : StepResult.Keep(document with { Text = verdict.Text }, [("removed_lines", verdict.RemovedLines)]);
    }
}
