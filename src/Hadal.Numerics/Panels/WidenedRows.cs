using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>One thread's room for activations as 256-bit kernels read them: bfloat16 as FP32, and without AVX-VNNI bytes as 16-bit integers.</summary>
/// <remarks>Of four bytes k 0 and 2 come first, then k 1 and 3: weights are masked or shifted in the same order.</remarks>
internal sealed unsafe class WidenedRows
{
    /// <summary>Bytes of the room.</summary>
    public const int Bytes = 256 << 10;

    [ThreadStatic]
    private static WidenedRows? _current;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Bytes, 64);

    ~WidenedRows() => NativeMemory.AlignedFree(_memory);

    /// <summary>The calling thread's own, made on first use.</summary>
    public static WidenedRows Current => _current ??= new WidenedRows();

    /// <summary>Bytes of an activation as the kernel reads it.</summary>
    public static int Size(in PanelFormat format, bool hasByteDot) => !format.HasByteActivations ? 4 : hasByteDot ? 1 : 2;

    /// <summary>Blocks of so many rows that the room holds, at least one.</summary>
    public static int Blocks(in PanelFormat format, int rows, bool hasByteDot) => Math.Max(1, (Bytes / rows - Padding) / (format.Block * Size(format, hasByteDot)));

    /// <summary>Widens some blocks of some rows and lets a call read them from here.</summary>
    public void Fill(in PanelProblem p, int row, int rows, int block, int blocks, ref PanelCall call)
    {
        int depth = blocks * p.Format.Block;
        byte* source = p.Left + row * p.LeftStride + (nint)block * p.Format.Block * p.Format.ActivationSize;
        nint stride = depth * (p.Format.HasByteActivations ? 2 : 4) + Padding;
        for (int r = 0; r < rows; r++)
        {
            if (p.Format.HasByteActivations) Widen((sbyte*)(source + r * p.LeftStride), depth, (short*)(_memory + r * stride));
            else BFloat16.Widen((ushort*)(source + r * p.LeftStride), (float*)(_memory + r * stride), depth);
        }

        call.Left = _memory;
        call.LeftStride = stride;
    }

    // Rows whose distance is a power of two compete for the same cache sets.
    private const int Padding = 64;

    private static void Widen(sbyte* source, int count, short* destination)
    {
        var order = Vector128.Create(0, 2, 1, 3, 4, 6, 5, 7);
        for (int i = 0; i < count; i += 16)
        {
            var (lower, upper) = Vector128.Widen(Vector128.Load(source + i));
            Vector128.Shuffle(lower, order).Store(destination + i);
            Vector128.Shuffle(upper, order).Store(destination + i + 8);
        }
    }
}
