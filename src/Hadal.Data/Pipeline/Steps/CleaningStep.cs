using System.Globalization;
using Hadal.Data.Normalization;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Brings texts into one form, and drops those that are too damaged or in which nothing is left.</summary>
/// <param name="options">What is changed.</param>
internal sealed class CleaningStep(CleaningOptions options) : IDocumentStep
{
    public string Stage => "clean";

    public StepResult Apply(StoredDocument document)
    {
        var cleaned = TextCleaning.Clean(document.Text, options);
        if (string.IsNullOrWhiteSpace(cleaned.Text)) return StepResult.Drop("empty");
        double damage = (double)cleaned.Counts.Damage / cleaned.OriginalLength;
        if (damage > options.MaximumDamage) return StepResult.Drop("damage", string.Create(CultureInfo.InvariantCulture, $"{damage:0.####} where the limit is {options.MaximumDamage:0.####}"));
        return string.Equals(cleaned.Text, document.Text, StringComparison.Ordinal) ? StepResult.Keep(document) : StepResult.Keep(document with { Text = cleaned.Text }, cleaned.Counts.Named);
    }
}
