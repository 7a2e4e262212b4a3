using Hadal.Model.Configuration;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Cli.Quickstart;

/// <summary>What a quickstart found.</summary>
internal sealed record QuickstartResult
{
    public required RunConfig Run { get; init; }

    public required ModelConfig Model { get; init; }

    public required IReadOnlyList<StepMetrics> Steps { get; init; }

    public required TimeSpan TrainingTime { get; init; }

    public required double ValidationLoss { get; init; }

    /// <summary>Cross-entropy of a Kneser-Ney bigram model, counted on the pairs that the model was trained on, over the same validation predictions.</summary>
    public required double BigramLoss { get; init; }

    public required IReadOnlyList<QuickstartSample> Samples { get; init; }

    /// <summary>Accepted over proposed drafts, all samples together.</summary>
    public required double AcceptanceRate { get; init; }

    public StepMetrics Last => Steps[^1];

    public double TokensPerSecond => Last.Tokens / Math.Max(TrainingTime.TotalSeconds, 1e-9);

    /// <summary>Mean main loss over the last twentieth of the steps.</summary>
    public double TrainLoss => Tail.Average(m => m.MainLoss);

    /// <summary>The worst layer's MaxVio on loads pooled over the last twentieth of the steps.</summary>
    public double MaxViolation => Enumerable.Range(0, Last.MaxViolation.Length).Max(layer =>
    {
        var load = new long[Last.ExpertLoad![layer].Length];
        foreach (var step in Tail)
        {
            for (int e = 0; e < load.Length; e++) load[e] += step.ExpertLoad![layer][e];
        }

        return (double)load.Max() * load.Length / Math.Max(1, load.Sum()) - 1;
    });

    private IEnumerable<StepMetrics> Tail => Steps.TakeLast(Math.Max(1, Steps.Count / 20));
}
