using Hadal.Numerics;

namespace Hadal.Inference.Generation;

/// <summary>How a <see cref="TextGenerator"/> works; none of it changes texts, except that a BF16 or 8-bit cache rounds.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Longest context, prompt and text together; null, or more than the model has, for all the model has.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Type of the latent cache: F32, BF16, F8E4M3, or null for what suits the checkpoint.</summary>
    public DType? CacheType { get; init; }

    /// <summary>Tokens of a prompt that are computed together; at least 1.</summary>
    public int PrefillTokens { get; init; } = 512;
}
