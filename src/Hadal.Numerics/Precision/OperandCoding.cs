using Hadal.Numerics.Formats;

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
    internal float Largest => Number switch { CodedNumber.E5M2 => 57344, CodedNumber.E5M6 => E5M6.MaxValue, _ => Float8E4M3.MaxValue };

    /// <summary>How rows of activations look when they are kept in this form: see <see cref="IBackend.Encode"/>.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Values of a row.</param>
    /// <returns>Type and shape of the codes, and of the scales (FP32), which have no columns for bfloat16.</returns>
    /// <exception cref="ArgumentException">Values of several rows share a scale.</exception>
    public (DType Type, Shape Codes, Shape Scales) Kept(long rows, long columns)
    {
        long tiles = (columns + Kernels.OperandView.Tile - 1) / Kernels.OperandView.Tile;
        return (Number, Tile) switch
        {
            (CodedNumber.BFloat16, ScaleTile.None) => (DType.BF16, new Shape(rows, columns), new Shape(rows, 0)),
            (CodedNumber.E4M3, ScaleTile.Row) => (DType.F8E4M3, new Shape(rows, columns), new Shape(rows, tiles)),
            (CodedNumber.E5M6, ScaleTile.Row) => (DType.U8, new Shape(rows, E5M6.Bytes(checked((int)columns))), new Shape(rows, tiles)),
            _ => throw new ArgumentException($"Rows are kept as bfloat16, or as E4M3 or E5M6 in tiles of 1×128, not as {this}."),
        };
    }
}
