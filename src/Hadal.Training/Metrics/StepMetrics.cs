namespace Hadal.Training.Metrics;

/// <summary>What one optimizer step reports: one line of <c>metrics.jsonl</c>, whose field names are the snake case of the properties.</summary>
/// <remarks>A loss that is not a number is written as the JSON string <c>"NaN"</c> (or <c>"Infinity"</c>): a run that diverged can still be read.</remarks>
public sealed record StepMetrics
{
    /// <summary>Number of optimizer steps done, this one included (from 1).</summary>
    public required long Step { get; init; }

    /// <summary>Predictions trained on so far, over all steps.</summary>
    public required long Tokens { get; init; }

    /// <summary>What was minimised: main loss + λ · mean of the MTP losses + balance loss.</summary>
    public required double Loss { get; init; }

    /// <summary>Next-token cross-entropy, nats a token.</summary>
    public required double MainLoss { get; init; }

    /// <summary>Cross-entropy of each MTP depth, nats a token, before λ; empty without MTP.</summary>
    public required double[] MtpLoss { get; init; }

    /// <summary>Sequence-wise balance loss, α included.</summary>
    public required double BalanceLoss { get; init; }

    /// <summary>Norm of all gradients before clipping.</summary>
    public required double GradNorm { get; init; }

    /// <summary>Learning rate of this step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Predictions a second in this step.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>MaxVio of each MoE layer: (largest expert load − mean load) / mean load; 0 is perfect balance.</summary>
    public required double[] MaxViolation { get; init; }

    /// <summary>Next-token cross-entropy on the validation windows, nats a token, where this step measured it.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>[MoE layer][expert]: how many tokens of the step went to each expert, where the step counted them.</summary>
    public long[][]? ExpertLoad { get; init; }
}
