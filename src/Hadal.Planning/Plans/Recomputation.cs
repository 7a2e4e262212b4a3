namespace Hadal.Planning.Plans;

/// <summary>What the backward computes again instead of keeping it.</summary>
public enum Recomputation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Norms and the up-projections of latent attention, and the output of SwiGLU (report section 3.2.3).</summary>
    UpProjections,

    /// <summary>Whole layers: only their inputs are kept.</summary>
    Layers,
}
