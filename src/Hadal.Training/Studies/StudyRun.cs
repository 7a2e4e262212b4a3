using Hadal.Training.Runs;

namespace Hadal.Training.Studies;

/// <summary>A run of a study: one variant with one seed.</summary>
/// <param name="Variant">The variant.</param>
/// <param name="Seed">The seed of weights and order; the text that is held back for validation is the same for every run of a study.</param>
/// <param name="Run">The run, its paths as in the base run.</param>
public sealed record StudyRun(StudyVariant Variant, ulong Seed, RunConfig Run)
{
    /// <summary>Its folder below that of the study.</summary>
    public string Folder => Path.Combine("runs", Variant.Name, FormattableString.Invariant($"seed-{Seed}"));
}
