using Hadal.Training.Metrics;

namespace Hadal.Training.Studies;

/// <summary>What is known of a run of a study.</summary>
/// <param name="Run">The run.</param>
/// <param name="Complete">Whether it reached its last step.</param>
/// <param name="Steps">What it measured, in order.</param>
/// <param name="Stopped">Why it cannot go on; null if nothing is in its way.</param>
public sealed record StudyObservation(StudyRun Run, bool Complete, IReadOnlyList<StepMetrics> Steps, string? Stopped);
