namespace Hadal.Numerics;

/// <summary>How both operands of a product are rounded. Sums are FP32; scaled operands have a sum per 128 of the inner dimension, which is scaled and added to the result in FP32.</summary>
/// <param name="A">The left operand.</param>
/// <param name="B">The right operand; scaled if the left one is.</param>
/// <param name="Accumulation">How sums are kept; anything but <see cref="Accumulation.Full"/> is for study and needs scales.</param>
public readonly record struct ProductCoding(OperandCoding A, OperandCoding B, Accumulation Accumulation = Accumulation.Full)
{
    /// <summary>bfloat16 by bfloat16.</summary>
    public static ProductCoding BFloat16 => new(OperandCoding.BFloat16, OperandCoding.BFloat16);
}
