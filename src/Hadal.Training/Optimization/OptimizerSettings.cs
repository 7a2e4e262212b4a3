using System.Text.Json.Serialization;

namespace Hadal.Training.Optimization;

/// <summary>AdamW, clipping and the learning-rate schedule, as a run file has them. Defaults are the report's (section 4.2) where it gives them.</summary>
public sealed record OptimizerSettings
{
    /// <summary>Peak learning rate.</summary>
    [JsonPropertyName("learning_rate")]
    public double LearningRate { get; init; } = 2.2e-4;

    /// <summary>Learning rate at the end of the decay.</summary>
    [JsonPropertyName("final_learning_rate")]
    public double FinalLearningRate { get; init; } = 2.2e-5;

    /// <summary>Steps of linear warm-up from 0.</summary>
    [JsonPropertyName("warmup_steps")]
    public int WarmupSteps { get; init; } = 2000;

    /// <summary>
    /// Where the cosine decay begins: above 1 a number of tokens seen before a step; up to 1 a share of the run, where 0 is its first step and 1 its last
    /// (the report: 10T of 14.8T tokens).
    /// </summary>
    [JsonPropertyName("decay_start")]
    public double DecayStart { get; init; } = 10 / 14.8;

    /// <summary>Where the decay has reached the final rate, in the same two ways; not before <see cref="DecayStart"/> (the report: 14.3T of 14.8T tokens).</summary>
    [JsonPropertyName("decay_end")]
    public double DecayEnd { get; init; } = 14.3 / 14.8;

    /// <summary>Constant rates behind the decay, in order (the report: 7.3e-6 for the last 167 billion tokens).</summary>
    [JsonPropertyName("learning_rate_changes")]
    public IReadOnlyList<ValueChange> LearningRateChanges { get; init; } = [];

    /// <summary>β₁.</summary>
    [JsonPropertyName("beta1")]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂.</summary>
    [JsonPropertyName("beta2")]
    public double Beta2 { get; init; } = 0.95;

    /// <summary>ε (not disclosed in the report).</summary>
    [JsonPropertyName("epsilon")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Type of the moments: <c>float32</c> or <c>bfloat16</c> (report section 3.3.3); left out, bfloat16 with the FP8 precisions and FP32 otherwise.</summary>
    [JsonPropertyName("moments")]
    public string? Moments { get; init; }

    /// <summary>Decoupled weight decay λ.</summary>
    [JsonPropertyName("weight_decay")]
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Whether norm weights decay too.</summary>
    [JsonPropertyName("decay_norms")]
    public bool DecayNorms { get; init; } = true;

    /// <summary>Largest global gradient norm; 0 for no clipping.</summary>
    [JsonPropertyName("clip_norm")]
    public double ClipNorm { get; init; } = 1.0;
}
