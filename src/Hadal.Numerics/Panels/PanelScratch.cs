using System.Runtime.InteropServices;

namespace Hadal.Numerics.Kernels;

/// <summary>What one thread needs to multiply by panels: unpacked panels for the second-level cache, and a stand-in for the right border of C.</summary>
internal sealed unsafe class PanelScratch
{
    /// <summary>Room for unpacked blocks: 512 k of sixteen panels in bfloat16, with scales.</summary>
    public const int RightBytes = 640 << 10;

    /// <summary>Floats in <see cref="Corner"/>: 32 rows of two panels; twelve rows of four panels are fewer.</summary>
    public const int CornerLength = PanelTileCode.MaxRows * PanelTileCode.MaxPanels * 16;

    [ThreadStatic]
    private static PanelScratch? _current;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(RightBytes + CornerLength * sizeof(float) + PanelTileCode.SumBytes, 64);

    ~PanelScratch() => NativeMemory.AlignedFree(_memory);

    /// <summary>The calling thread's own, made on first use.</summary>
    public static PanelScratch Current => _current ??= new PanelScratch();

    public byte* Right => _memory;

    public float* Corner => (float*)(_memory + RightBytes);

    /// <summary>Where kernels on tiles leave their sums.</summary>
    public byte* TileSums => (byte*)(Corner + CornerLength);
}
