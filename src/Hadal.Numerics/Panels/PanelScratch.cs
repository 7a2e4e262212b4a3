using System.Runtime.InteropServices;

namespace Hadal.Numerics.Kernels;

/// <summary>What one thread needs to multiply by panels: unpacked panels for the second-level cache, and a stand-in for the right border of C.</summary>
internal sealed unsafe class PanelScratch
{
    /// <summary>Room for unpacked blocks: 512 k of sixteen panels in bfloat16, with scales.</summary>
    public const int RightBytes = 640 << 10;

    /// <summary>Floats in <see cref="Corner"/>: twelve rows, four panels.</summary>
    public const int CornerLength = PanelGemm.MaxKernelRows * 64;

    [ThreadStatic]
    private static PanelScratch? _current;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(RightBytes + CornerLength * sizeof(float), 64);

    ~PanelScratch() => NativeMemory.AlignedFree(_memory);

    /// <summary>The calling thread's own, made on first use.</summary>
    public static PanelScratch Current => _current ??= new PanelScratch();

    public byte* Right => _memory;

    public float* Corner => (float*)(_memory + RightBytes);
}
