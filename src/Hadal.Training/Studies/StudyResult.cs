using System.Text.Json;
using System.Text.Json.Serialization;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Studies;

/// <summary>What a study found, so far: figures of every run, their spread over the seeds, and differences to the baseline.</summary>
public sealed record StudyResult
{
    private const double Half = 0.5;
    private const double Tenth = 0.1;

    // A run that ends so far above its own best has not merely stopped to learn.
    private const double Fallback = 1.1;

    /// <summary>Heading.</summary>
    public required string Title { get; init; }

    /// <summary>The field that differs; null where variants have names of their own.</summary>
    public required string? Varied { get; init; }

    /// <summary>The variant that the others are compared with.</summary>
    public required string Baseline { get; init; }

    /// <summary>The seeds.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>Tokens of a run of the baseline.</summary>
    public required long TokensPerRun { get; init; }

    /// <summary>Runs of the study.</summary>
    public required int Runs { get; init; }

    /// <summary>Runs that are complete.</summary>
    public required int CompleteRuns { get; init; }

    /// <summary>The variants, in the order of the study.</summary>
    public required IReadOnlyList<VariantResult> Variants { get; init; }

    /// <summary>Computes everything from the metrics of the runs.</summary>
    /// <param name="study">The study.</param>
    /// <param name="observations">What is known of its runs, in any order; runs that have not begun may be missing.</param>
    /// <returns>The result.</returns>
    public static StudyResult Of(Study study, IReadOnlyList<StudyObservation> observations)
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(observations);
        var baseline = study.Variants.First(v => v.Name == study.Baseline);
        return new StudyResult
        {
            Title = study.Title,
            Varied = study.Varied,
            Baseline = study.Baseline,
            Seeds = study.Seeds,
            TokensPerRun = baseline.Run.Tokens,
            Runs = study.Variants.Count * study.Seeds.Count,
            CompleteRuns = observations.Count(o => o.Complete),
            Variants = [.. study.Variants.Select(v => Describe(v, baseline, study.Seeds, observations))],
        };
    }

    /// <summary>The smoothed difference of a variant to the baseline, per seed of which both runs are complete.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="baseline">The baseline.</param>
    /// <param name="seeds">The seeds.</param>
    /// <param name="observations">What is known.</param>
    /// <returns>Shares of the baseline's smoothed loss, one curve a seed; none where a step of the two is not of the same tokens.</returns>
    public static IReadOnlyList<double[]> DifferenceCurves(StudyVariant variant, StudyVariant baseline, IReadOnlyList<ulong> seeds, IReadOnlyList<StudyObservation> observations)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        return [.. seeds.Select(seed => Difference(variant, baseline, seed, observations)).OfType<double[]>()];
    }

    /// <summary>The result as a JSON document, names in snake case.</summary>
    /// <returns>Indented JSON.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, StudyResultJson.Default.StudyResult).ReplaceLineEndings("\n") + "\n";

    private static VariantResult Describe(StudyVariant variant, StudyVariant baseline, IReadOnlyList<ulong> seeds, IReadOnlyList<StudyObservation> observations)
    {
        var runs = seeds.Select(seed => Find(observations, variant, seed)).OfType<StudyObservation>().Where(o => o.Steps.Count > 0 || o.Stopped is not null)
            .Select(o => Describe(o, variant, baseline, observations)).ToList();
        var whole = runs.Where(r => r.Complete).ToList();
        var differences = variant == baseline ? [] : DifferenceCurves(variant, baseline, seeds, observations);
        double[] mean = LossCurve.Mean(differences);
        return new VariantResult
        {
            Name = variant.Name,
            Settings = variant.Settings,
            Runs = runs,
            TrainLoss = Spread.Of(whole.Select(r => r.TrainLoss)),
            ValidationLoss = Spread.Of(whole.Select(r => r.ValidationLoss)),
            ValidationDifference = Spread.Of(whole.Select(r => r.ValidationDifference)),
            MeanCurveDifferenceSecondHalf = mean.Length > 0 ? LossCurve.LargestAtEnd(mean, Half) : null,
            MeanCurveDifferenceLastTenth = mean.Length > 0 ? LossCurve.LargestAtEnd(mean, Tenth) : null,
            CurveDifferenceSecondHalf = whole.Max(r => r.CurveDifferenceSecondHalf),
            CurveDifferenceLastTenth = whole.Max(r => r.CurveDifferenceLastTenth),
            SecondsPerStep = Spread.Of(runs.Select(r => r.SecondsPerStep)),
            MaxViolation = Spread.Of(whole.Select(r => r.MaxViolation)),
            SkippedSteps = runs.Sum(r => r.SkippedSteps),
            Diverged = runs.Count(r => r.Diverged),
            PlannedMemoryBytes = variant.Run.Model.Count == 0 ? null : RunPlan.Of(variant.Run, variant.Run.ReadModel($"variant {variant.Name}")).MemoryBytes,
        };
    }

    private static StudyRunResult Describe(StudyObservation observation, StudyVariant variant, StudyVariant baseline, IReadOnlyList<StudyObservation> observations)
    {
        var steps = observation.Steps;
        double[] smooth = LossCurve.Smooth(steps);
        bool ended = observation.Complete || observation.Stopped is not null;
        double? end = smooth.Length > 0 && double.IsFinite(smooth[^1]) ? smooth[^1] : null;
        double? validation = observation.Complete && steps is [.., { ValidationLoss: { } loss }] && double.IsFinite(loss) ? loss : null;
        var other = variant == baseline ? null : Find(observations, baseline, observation.Run.Seed);
        double? reference = other is { Complete: true, Steps: [.., { ValidationLoss: { } b }] } && double.IsFinite(b) ? b : null;
        double[]? difference = variant == baseline ? null : Difference(variant, baseline, observation.Run.Seed, observations);
        bool diverged = observation.Stopped is not null || (observation.Complete && steps.Count > 0 && (!double.IsFinite(steps[^1].MainLoss) || end > Fallback * smooth.Where(double.IsFinite).Min()));
        return new StudyRunResult
        {
            Seed = observation.Run.Seed,
            Steps = steps.Count > 0 ? steps[^1].Step : 0,
            Complete = observation.Complete,
            Stopped = observation.Stopped,
            TrainLoss = ended ? end : null,
            ValidationLoss = validation,
            ValidationDifference = (validation - reference) / reference,
            CurveDifferenceSecondHalf = difference is null ? null : LossCurve.LargestAtEnd(difference, Half),
            CurveDifferenceLastTenth = difference is null ? null : LossCurve.LargestAtEnd(difference, Tenth),
            SkippedSteps = steps.Count(s => s.Skipped is not null),
            Rewinds = steps.Count(s => s.Rewound is not null),
            Diverged = diverged,
            SecondsPerStep = MedianSeconds(steps),
            MaxViolation = WorstViolation(steps),
        };
    }

    private static StudyObservation? Find(IReadOnlyList<StudyObservation> observations, StudyVariant variant, ulong seed) =>
        observations.FirstOrDefault(o => o.Run.Variant.Name == variant.Name && o.Run.Seed == seed);

    private static double[]? Difference(StudyVariant variant, StudyVariant baseline, ulong seed, IReadOnlyList<StudyObservation> observations)
    {
        if (Find(observations, variant, seed) is not { Complete: true } one || Find(observations, baseline, seed) is not { Complete: true } other) return null;

        // Steps of other sizes are not at the same place of the text.
        return one.Steps.Select(s => s.Tokens).SequenceEqual(other.Steps.Select(s => s.Tokens))
            ? LossCurve.RelativeDifference(LossCurve.Smooth(one.Steps), LossCurve.Smooth(other.Steps))
            : null;
    }

    /// <summary>Seconds of the step at a place of a log.</summary>
    /// <param name="steps">The log, from step 1.</param>
    /// <param name="index">The place.</param>
    /// <returns>NaN where the speed is not known.</returns>
    public static double SecondsOf(IReadOnlyList<StepMetrics> steps, int index)
    {
        ArgumentNullException.ThrowIfNull(steps);
        double speed = steps[index].TokensPerSecond;
        return speed > 0 && double.IsFinite(speed) ? (steps[index].Tokens - (index == 0 ? 0 : steps[index - 1].Tokens)) / speed : double.NaN;
    }

    private static double? MedianSeconds(IReadOnlyList<StepMetrics> steps)
    {
        double[] seconds = [.. Enumerable.Range(0, steps.Count).Select(i => SecondsOf(steps, i)).Where(double.IsFinite).Order()];
        return seconds.Length == 0 ? null : (seconds[(seconds.Length - 1) / 2] + seconds[seconds.Length / 2]) / 2;
    }

    private static double? WorstViolation(IReadOnlyList<StepMetrics> steps)
    {
        if (steps is not [.., { MaxViolation: { Length: > 0 and var layers } }]) return null;
        var end = steps.Skip(LossCurve.EndStart(steps.Count, Tenth)).Where(s => s.MaxViolation.Length == layers).ToList();
        return Enumerable.Range(0, layers).Max(l => end.Average(s => s.MaxViolation[l]));
    }
}

[JsonSourceGenerationOptions(Converters = [typeof(FiniteNumberConverter)], PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(StudyResult))]
internal sealed partial class StudyResultJson : JsonSerializerContext;
