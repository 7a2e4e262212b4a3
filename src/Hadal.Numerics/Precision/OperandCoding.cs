namespace Hadal.Numerics;

/// <summary>How an operand is rounded before a product.</summary>
/// <param name="Number">To which numbers.</param>
/// <param name="Tile">Which values share a scale; none for bfloat16.</param>
/// <param name="PowerOfTwoScales">Whether scales are rounded up to powers of two, so that scaling is exact.</param>
public readonly record struct OperandCoding(CodedNumber Number, ScaleTile Tile = ScaleTile.None, bool PowerOfTwoScales = false)
{
    /// <summary>bfloat16 without scales.</summary>
    public static OperandCoding BFloat16 => new(CodedNumber.BFloat16);

    /// <summary>E4M3 in tiles of 1×128: activations and their gradients.</summary>
    public static OperandCoding Activations => new(CodedNumber.E4M3, ScaleTile.Row);

    /// <summary>E4M3 in blocks of 128×128: weights.</summary>
    public static OperandCoding Weights => new(CodedNumber.E4M3, ScaleTile.Block);

    /// <summary>Whether products of blocks of 128 are scaled.</summary>
    internal bool IsScaled => Tile != ScaleTile.None;

    /// <summary>The largest value that a code stands for.</summary>
    internal float Largest => Number == CodedNumber.E5M2 ? 57344 : 448;
}
