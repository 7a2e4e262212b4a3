using System.Runtime.InteropServices;

namespace Hadal.Numerics.Kernels;

/// <summary>What belongs to a row of activations and a block of k.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ActivationBlock
{
    /// <summary>The row's value is scale · code; 1 for bfloat16 that is not scaled.</summary>
    public float Scale;

    /// <summary>-(zero point of the weights) · Σ codes: where the integer sum starts.</summary>
    public int Offset;

    /// <summary>scale · Σ codes, for weights with a minimum.</summary>
    public float Sum;

    /// <summary>Keeps the size a power of two.</summary>
    public int Unused;
}

/// <summary>What a panel kernel multiplies: rows of activations by panels of weights, a whole number of blocks of k. Assembled code knows the offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PanelCall
{
    /// <summary>Codes of row 0 at the first k.</summary>
    public byte* Left;

    /// <summary>Bytes between rows.</summary>
    public nint LeftStride;

    /// <summary>Block values of row 0 at the first block.</summary>
    public ActivationBlock* Values;

    /// <summary>Bytes between rows of <see cref="Values"/>.</summary>
    public nint ValueStride;

    /// <summary>First block of panel 0.</summary>
    public byte* Right;

    /// <summary>Bytes between panels.</summary>
    public nint PanelStride;

    /// <summary>FP32.</summary>
    public float* C;

    /// <summary>Bytes between rows of C.</summary>
    public nint CStride;

    /// <summary>Blocks of k, at least one.</summary>
    public nint Blocks;

    /// <summary>1 to add to what C holds, 0 to replace it.</summary>
    public nint Accumulate;

    /// <summary><see cref="E4M3Codes.Tables"/>; for kernels on tiles, memory of <see cref="PanelTileCode.SumBytes"/> for their sums.</summary>
    public byte* Constants;
}
