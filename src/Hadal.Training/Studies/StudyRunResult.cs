namespace Hadal.Training.Studies;

/// <summary>What a run of a study came to. Differences are to the baseline's run of the same seed, and null where one of the two is not complete.</summary>
public sealed record StudyRunResult
{
    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Steps done.</summary>
    public required int Steps { get; init; }

    /// <summary>Whether these are all.</summary>
    public required bool Complete { get; init; }

    /// <summary>Why it ended before its last step; null if it did not.</summary>
    public required string? Stopped { get; init; }

    /// <summary>Smoothed loss of the next token at the end, in nats (<see cref="LossCurve"/>); null before the end.</summary>
    public double? TrainLoss { get; init; }

    /// <summary>Validation loss at the end, in nats; null before the end, or without validation.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>(validation loss - the baseline's) / the baseline's.</summary>
    public double? ValidationDifference { get; init; }

    /// <summary>Largest relative difference of the smoothed curves over the second half, absolute.</summary>
    public double? CurveDifferenceSecondHalf { get; init; }

    /// <summary>Largest relative difference of the smoothed curves over the last tenth, absolute.</summary>
    public double? CurveDifferenceLastTenth { get; init; }

    /// <summary>Steps whose gradients were thrown away.</summary>
    public required int SkippedSteps { get; init; }

    /// <summary>Times it went back to a checkpoint.</summary>
    public required int Rewinds { get; init; }

    /// <summary>Whether it was stopped by spikes, ended with a loss that is no number, or ended more than a tenth above its own lowest smoothed loss.</summary>
    public required bool Diverged { get; init; }

    /// <summary>Median time of a step, in seconds.</summary>
    public double? SecondsPerStep { get; init; }

    /// <summary>MaxVio of the worst expert layer, mean over the last tenth; null without experts.</summary>
    public double? MaxViolation { get; init; }
}
