using Hadal.Numerics;

namespace Hadal.Inference.Measurement;

/// <summary>What is measured of a model.</summary>
public sealed record BenchmarkPlan
{
    /// <summary>Tokens of a prompt computed in one step; 0 to leave prefill out.</summary>
    public int Prefill { get; init; } = 512;

    /// <summary>Tokens decoded one after the other per sequence; 0 to leave decoding out.</summary>
    public int Decode { get; init; } = 128;

    /// <summary>Tokens that a sequence holds before it is decoded.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [0];

    /// <summary>Sequences decoded together.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1];

    /// <summary>Each measurement is the median of so many.</summary>
    public int Repetitions { get; init; } = 3;

    /// <summary>The type of the latent cache: F32, BF16 or F8E4M3; null for <see cref="Weights.InferenceModel.DefaultCacheType"/>.</summary>
    public DType? CacheType { get; init; }
}
