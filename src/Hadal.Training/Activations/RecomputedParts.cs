namespace Hadal.Training.Activations;

/// <summary>What a layer computes again in the backward instead of keeping it (report section 3.2.3).</summary>
[Flags]
internal enum RecomputedParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Outputs of RMSNorm, from its inputs.</summary>
    Norms = 1,

    /// <summary>Queries, keys and values, from their latents.</summary>
    LatentUp = 2,

    /// <summary>Outputs of SwiGLU, from its inputs.</summary>
    SwiGlu = 4,

    /// <summary>The whole layer, from its input.</summary>
    Block = 8,
}
