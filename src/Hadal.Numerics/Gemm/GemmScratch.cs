using System.Runtime.InteropServices;

namespace Hadal.Numerics.Kernels;

/// <summary>The copies of blocks of A and B that one thread works on: about 600 KB outside the managed heap, sized for the second-level cache.</summary>
internal sealed unsafe class GemmScratch : IDisposable
{
    /// <summary>Floats between the starts of copied rows of A. A constant, so that it becomes part of the instruction; not a power of two, so that rows spread over the cache.</summary>
    public const int RowStride = Gemm.BlockDepth + 8;

    /// <summary>Floats in <see cref="Right"/>.</summary>
    public const int RightLength = Gemm.BlockDepth * Gemm.BlockColumns;

    private const int LeftLength = Gemm.BlockRows * RowStride;
    private const int CornerLength = Gemm.MaxKernelRows * 16;
    private const int WidenedLength = 16 * Gemm.WidenedDepth;

    [ThreadStatic]
    private static GemmScratch? _current;

    private float* _memory = (float*)NativeMemory.AlignedAlloc((RightLength + LeftLength + CornerLength + WidenedLength) * sizeof(float), 64);

    ~GemmScratch() => Free();

    /// <summary>The calling thread's own scratch, made on first use and freed after the thread.</summary>
    public static GemmScratch Current => _current ??= new GemmScratch();

    /// <summary>A block of B in panels: [panel][k][16].</summary>
    public float* Right => _memory;

    /// <summary>A block of A: rows <see cref="RowStride"/> apart, or, when A is transposed, [row panel][k][row].</summary>
    public float* Left => _memory + RightLength;

    /// <summary>Stands in for the part of C at its right border, where fewer than sixteen columns remain.</summary>
    public float* Corner => Left + LeftLength;

    /// <summary>Sixteen rows of widened BF16 on their way into panels.</summary>
    public float* Widened => Corner + CornerLength;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
