using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>How a trace is computed. The values are the same, to rounding, whatever is chosen here.</summary>
public sealed record ModelTraceOptions
{
    /// <summary>Tokens that are computed as prompt, in the expanded form of attention; the others go through the absorbed form. Null for all.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Tokens in a forward pass, at least 1.</summary>
    public int PieceTokens { get; init; } = 512;

    /// <summary>Type of the latent cache: F32 shows the model, BF16 and F8E4M3 what serving with such a cache computes.</summary>
    public DType CacheType { get; init; } = DType.F32;
}
