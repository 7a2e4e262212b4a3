namespace Hadal.Numerics;

/// <summary>How the sum of a product's terms is kept.</summary>
public enum Accumulation
{
    /// <summary>In FP32.</summary>
    Full,

    /// <summary>
    /// As tensor cores of Hopper do without promotion (report section 3.3.2): every 32 products are added to the sum, which then keeps 14 significant bits, cut off
    /// towards zero, over the whole inner dimension.
    /// </summary>
    Bits14,
}
