using Hadal.Numerics.Formats;

namespace Hadal.Numerics;

/// <summary>Rows of a weight matrix as a checkpoint stores them.</summary>
/// <param name="Codes">F32, BF16, F16 or F8E4M3 [rows, K], or U8 with <see cref="Blocks"/>.</param>
/// <param name="Scales">For F8E4M3: F32 [⌈rows / <paramref name="ScaleRows"/>⌉, ⌈K / <paramref name="ScaleColumns"/>⌉] that multiply the codes; otherwise no tensor.</param>
/// <param name="ScaleRows">Rows that share a scale.</param>
/// <param name="ScaleColumns">Columns that share a scale.</param>
public readonly record struct WeightPart(Tensor Codes, Tensor Scales = default, int ScaleRows = 128, int ScaleColumns = 128)
{
    /// <summary>For codes in blocks, U8 [rows, bytes of a row]: their format. They can only be held in that format.</summary>
    public BlockFormat? Blocks { get; init; }

    /// <summary>Weights in a row.</summary>
    internal long Inputs => Blocks is { } blocks ? Codes.Shape.Columns / blocks.BlockBytes() * blocks.BlockElements() : Codes.Shape.Columns;
}
