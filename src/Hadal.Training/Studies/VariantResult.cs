using System.Text.Json.Nodes;

namespace Hadal.Training.Studies;

/// <summary>What a variant came to, over its complete runs.</summary>
public sealed record VariantResult
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it changes in the base run.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>Its runs, in the order of the seeds; those that have not begun are left out.</summary>
    public required IReadOnlyList<StudyRunResult> Runs { get; init; }

    /// <summary>Smoothed training loss at the end, in nats.</summary>
    public Spread? TrainLoss { get; init; }

    /// <summary>Validation loss at the end, in nats.</summary>
    public Spread? ValidationLoss { get; init; }

    /// <summary>Relative difference of the validation loss to the baseline's, paired by seed.</summary>
    public Spread? ValidationDifference { get; init; }

    /// <summary>
    /// Largest relative difference of the smoothed curves over the second half, absolute, after the signed differences of all seeds have been averaged at each step: what
    /// is the same for every seed stays, noise goes.
    /// </summary>
    public double? MeanCurveDifferenceSecondHalf { get; init; }

    /// <summary>The same over the last tenth.</summary>
    public double? MeanCurveDifferenceLastTenth { get; init; }

    /// <summary>Largest relative difference of the smoothed curves over the second half in any seed, absolute.</summary>
    public double? CurveDifferenceSecondHalf { get; init; }

    /// <summary>The same over the last tenth.</summary>
    public double? CurveDifferenceLastTenth { get; init; }

    /// <summary>Median time of a step, in seconds.</summary>
    public Spread? SecondsPerStep { get; init; }

    /// <summary>MaxVio of the worst expert layer over the last tenth.</summary>
    public Spread? MaxViolation { get; init; }

    /// <summary>Steps whose gradients were thrown away, in all runs.</summary>
    public required int SkippedSteps { get; init; }

    /// <summary>Runs that diverged.</summary>
    public required int Diverged { get; init; }

    /// <summary>Memory that a run was planned to take, in bytes; null where its model is that of a folder it starts from.</summary>
    public long? PlannedMemoryBytes { get; init; }
}
