using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Privacy;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Replaces personal data by tokens.</summary>
/// <param name="options">Which.</param>
internal sealed class PrivacyStep(PrivacyOptions options) : IDocumentStep
{
    public string Stage => "privacy";

    public StepResult Apply(StoredDocument document)
    {
        var masked = PrivacyMask.Mask(document.Text, options);
        return string.Equals(masked.Text, document.Text, StringComparison.Ordinal) ? StepResult.Keep(document) : StepResult.Keep(document with { Text = masked.Text }, masked.Counts.Named);
    }
}
