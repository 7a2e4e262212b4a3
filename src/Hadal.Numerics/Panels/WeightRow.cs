using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>One row of weights as a checkpoint stores it.</summary>
internal unsafe struct WeightRow
{
    /// <summary>Codes of the row.</summary>
    public byte* Codes;

    /// <summary>F32, BF16, F16 or F8E4M3; U8 for <see cref="Blocks"/>.</summary>
    public DType Type;

    /// <summary>Format of codes in blocks, or null.</summary>
    public BlockFormat? Blocks;

    /// <summary>The row's scales; null for none.</summary>
    public float* Scales;

    /// <summary>k values that share a scale.</summary>
    public int ScaleDepth;
}

/// <summary>Consecutive rows of weights of one kind.</summary>
internal unsafe struct WeightRows
{
    /// <summary>First row.</summary>
    public WeightRow First;

    /// <summary>Bytes between rows.</summary>
    public nint Stride;

    /// <summary>Rows that share scales.</summary>
    public int ScaleRows;

    /// <summary>Floats between rows of scales.</summary>
    public nint ScaleStride;

    /// <summary>How many rows.</summary>
    public int Count;

    /// <summary>A row.</summary>
    public readonly WeightRow Row(int index)
    {
        var row = First;
        row.Codes += index * Stride;
        if (row.Scales != null) row.Scales += index / ScaleRows * ScaleStride;
        return row;
    }
}
