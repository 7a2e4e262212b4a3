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

    /// <summary>Sequence-wise balance loss summed over expert layers, unweighted.</summary>
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

    /// <summary>(largest load - mean load) / mean load of each expert layer, MTP modules last.</summary>
    [JsonPropertyName("max_violation")]
    public required double[] MaxViolation { get; init; }

    /// <summary>Tokens routed to each expert of each expert layer in this step.</summary>
    [JsonPropertyName("expert_load")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long[][]? ExpertLoad { get; init; }

    /// <summary>Cross-entropy of the next token on the validation sequences, in nats; only where a step was followed by a validation.</summary>
    [JsonPropertyName("validation_loss")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ValidationLoss { get; init; }

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
