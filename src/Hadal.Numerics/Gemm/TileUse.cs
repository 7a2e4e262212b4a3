namespace Hadal.Numerics.Kernels;

/// <summary>What is multiplied on tiles (AMX) where a processor has them.</summary>
internal enum TileUse
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Bytes, which gives the bits of all other forms.</summary>
    Bytes,

    /// <summary>Bytes and bfloat16, whose sums have an order of their own.</summary>
    All,
}
