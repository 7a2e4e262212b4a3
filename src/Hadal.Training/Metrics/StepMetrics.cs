using System.Text.Json.Serialization;

namespace Hadal.Training.Metrics;

/// <summary>What a training step measured: one line of <c>metrics.jsonl</c>.</summary>
public sealed record StepMetrics
{
    /// <summary>Number of the step, from 1.</summary>
    [JsonPropertyName("step")]
    public required int Step { get; init; }

    /// <summary>Tokens trained on so far, this step included.</summary>
    [JsonPropertyName("tokens")]
    public required long Tokens { get; init; }

    /// <summary>Total loss: main + λ·MTP + α·balance, in nats per token.</summary>
    [JsonPropertyName("loss")]
    public required double Loss { get; init; }

    /// <summary>Cross-entropy of the next token, in nats.</summary>
    [JsonPropertyName("main_loss")]
    public required double MainLoss { get; init; }

    /// <summary>Cross-entropy of each MTP module, over the number of main labels.</summary>
    [JsonPropertyName("mtp_loss")]
    public required double[] MtpLoss { get; init; }

    /// <summary>Balance loss summed over expert layers, unweighted: the batch-wise one with <c>batch_loss</c>, else the sequence-wise one.</summary>
    [JsonPropertyName("balance_loss")]
    public required double BalanceLoss { get; init; }

    /// <summary>Global gradient norm before clipping.</summary>
    [JsonPropertyName("grad_norm")]
    public required double GradNorm { get; init; }

    /// <summary>Learning rate of the step.</summary>
    [JsonPropertyName("learning_rate")]
    public required double LearningRate { get; init; }

    /// <summary>Tokens per second of this step.</summary>
    [JsonPropertyName("tokens_per_second")]
    public required double TokensPerSecond { get; init; }

    /// <summary>
    /// MFU: model FLOPs (forward and backward, nothing counted twice for recomputation) per second over the measured rate of the machine's matrix product, 0 to 1; only where
    /// that was measured.
    /// </summary>
    [JsonPropertyName("mfu")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ModelFlopsUtilization { get; init; }

    /// <summary>(largest load - mean load) / mean load of each expert layer, MTP modules last.</summary>
    [JsonPropertyName("max_violation")]
    public required double[] MaxViolation { get; init; }

    /// <summary>Tokens routed to each expert of each expert layer in this step.</summary>
    [JsonPropertyName("expert_load")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long[][]? ExpertLoad { get; init; }

    /// <summary>Entropy of each expert layer's load over ln E: 1 for balance, 0 for collapse.</summary>
    [JsonPropertyName("load_entropy")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? LoadEntropy { get; init; }

    /// <summary>
    /// Experts of each expert layer that no token chose in the last 100 steps; not there before 100 steps of a sitting (a run that goes on from a checkpoint begins to
    /// count anew).
    /// </summary>
    [JsonPropertyName("dead_experts")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int[]? DeadExperts { get; init; }

    /// <summary>Largest minus smallest router bias of each expert layer, after the step.</summary>
    [JsonPropertyName("bias_spread")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? BiasSpread { get; init; }

    /// <summary>Tokens of the step with at least one expert in each group of each expert layer; only where routing is limited to groups.</summary>
    [JsonPropertyName("tokens_per_group")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long[][]? TokensPerGroup { get; init; }

    /// <summary>MaxVio of each expert layer on the load pooled over the validation sequences; only where a step was followed by a validation.</summary>
    [JsonPropertyName("validation_max_violation")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? ValidationMaxViolation { get; init; }

    /// <summary>
    /// Share of the (token, choice) pairs of the first validation micro-batch that are new since the validation before, per expert layer, 0 to 1; not there at the first
    /// validation of a sitting.
    /// </summary>
    [JsonPropertyName("routing_churn")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? RoutingChurn { get; init; }

    /// <summary>Cross-entropy of the next token on the validation sequences, in nats; only where a step was followed by a validation.</summary>
    [JsonPropertyName("validation_loss")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ValidationLoss { get; init; }

    /// <summary>
    /// Share of the positions of the validation sequences, 0 to 1, where the likeliest token of each MTP module is the main model's own likeliest: what greedy
    /// speculation would accept, given the true tokens before. Only where a step was followed by a validation of a model with modules.
    /// </summary>
    [JsonPropertyName("validation_acceptance")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? ValidationAcceptance { get; init; }

    /// <summary>Why the gradients of the step were thrown away; only where they were.</summary>
    [JsonPropertyName("skipped")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Skipped { get; init; }

    /// <summary>Why the run went back to where this step begins, and which batches it left out; only on the first step behind a rewind.</summary>
    [JsonPropertyName("rewound")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Rewound { get; init; }
}

[JsonSourceGenerationOptions(Converters = [typeof(FiniteNumberConverter)])]
[JsonSerializable(typeof(StepMetrics))]
internal sealed partial class StepMetricsJson : JsonSerializerContext;
