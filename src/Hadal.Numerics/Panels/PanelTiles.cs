using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>The kernels on tiles in hardware, and whether they are used.</summary>
/// <remarks>
/// Bytes are multiplied on tiles where nothing forbids it and a trial product has the bits of the scalar form: that is tried once, in a millisecond or two, before the first
/// result counts. Naming a form in <see cref="KernelForms.Variable"/> asks for just that form, without tiles. bfloat16 on tiles has other sums than any other form, so weights
/// are arranged for it only if the name says so, and then for every number of rows.
/// </remarks>
internal static unsafe class PanelTiles
{
    private static readonly Lazy<string?> _refusal = new(Find);
    private static readonly Lazy<string?> _bfloat16Refusal = new(FindForBFloat16);
    private static readonly Lock _gate = new();
    private static volatile Entry[] _entries = [];

    /// <summary>Why the assembled form does without tiles; null if it has them.</summary>
    public static string? Refusal => _refusal.Value;

    /// <summary>Why bfloat16 is not multiplied on tiles; null if it is.</summary>
    public static string? BFloat16Refusal => _bfloat16Refusal.Value;

    /// <summary>How weights in bfloat16 are arranged: which of the two contracts holds in this process.</summary>
    public static PanelFormat BFloat16Format => BFloat16Refusal is null ? PanelFormat.BFloat16InTiles : PanelFormat.BFloat16;

    private static string? Find()
    {
        var asked = KernelForms.CurrentTiles;
        if (asked == TileUse.None) return $"{KernelForms.Variable} asks for a form without them";
        if (KernelForms.Current != KernelForm.Assembled512) return "they go with the assembled form on 512-bit registers";
        return TileFeatures.ByteRefusal ?? Try<HardwareTiles>(new PanelFormat(PanelElement.Byte, 128, sizeof(float), 128));
    }

    private static string? FindForBFloat16() => KernelForms.CurrentTiles != TileUse.All
        ? $"only a name in {KernelForms.Variable} asks for them"
        : Refusal ?? TileFeatures.BFloat16Refusal ?? Try<HardwareTiles>(PanelFormat.BFloat16InTiles);

    /// <summary>A product of odd size, on tiles and in the scalar form.</summary>
    /// <returns>Null if both have the same bits, otherwise what is wrong.</returns>
    internal static string? Try<TKernel>(PanelFormat format) where TKernel : struct, ITileKernel
    {
        const int rows = 35, columns = 41, depth = 256, panels = (columns + 15) / 16;
        int blocks = format.Blocks(depth), stride = depth * format.ActivationSize;
        byte[] left = new byte[rows * stride], right = new byte[panels * blocks * format.BlockBytes];
        var values = new ActivationBlock[rows * blocks];
        float[] expected = new float[rows * columns], actual = new float[rows * columns];
        for (int i = 0; i < left.Length; i++) left[i] = (byte)(i * 2654435761u >> 24);
        for (int i = 0; i < right.Length; i++) right[i] = (byte)(i * 2246822519u >> 24);
        if (!format.HasByteActivations)
        {
            // Values of eight bits and both signs: their products are exact, their sums are not.
            foreach (ref ushort code in MemoryMarshal.Cast<byte, ushort>(left.AsSpan())) code = PanelCodes.Narrow(1f / (1 + (code & 0xFF)) - 0.1f);
            foreach (ref ushort code in MemoryMarshal.Cast<byte, ushort>(right.AsSpan())) code = PanelCodes.Narrow(1f / (1 + (code & 0x7F)) - 0.1f);
        }

        for (int row = 0; row < rows && format.HasByteActivations; row++)
        {
            for (int b = 0; b < blocks; b++)
            {
                int sum = 0;
                for (int k = 0; k < 128; k++) sum += (sbyte)left[row * stride + b * 128 + k];
                values[row * blocks + b] = new ActivationBlock { Scale = 1f / (3 + row), Offset = -format.ZeroPoint * sum };
            }
        }

        fixed (byte* a = left, w = right)
        fixed (ActivationBlock* v = values)
        fixed (float* e = expected, c = actual)
        {
            for (int b = 0; b < panels * blocks && format.ScaleSize > 0; b++)
            {
                for (int column = 0; column < 16; column++) PanelCodes.Write(w + b * format.BlockBytes + format.CodeBytes, sizeof(float), column, 1f / (7 + column + b));
            }

            var problem = new PanelProblem
            {
                Format = format,
                Left = a,
                LeftStride = stride,
                Values = v,
                ValueStride = blocks,
                Right = w,
                C = e,
                Ldc = columns,
                M = rows,
                N = columns,
                Blocks = blocks,
            };
            PanelGemm.RunAlone(problem, KernelForm.Reference);
            problem.C = c;
            PanelGemm.RunOnTiles<TKernel>(problem);
        }

        return MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes<float>(actual)) ? null : "a trial product on them has other bits than the scalar form";
    }

    private static delegate* unmanaged[SuppressGCTransition]<PanelCall*, void> Get(in PanelFormat format, int rows, int panels)
    {
        int index = (rows - 1) * PanelTileCode.MaxPanels + panels - 1;
        foreach (var entry in _entries)
        {
            if (entry.Format == format && Volatile.Read(ref entry.Kernels[index]) is var kernel and not 0) return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)kernel;
        }

        lock (_gate)
        {
            var found = Array.Find(_entries, Matches(format));
            if (found is null)
            {
                found = new Entry(format);
                _entries = [.. _entries, found];
            }

            if (found.Kernels[index] == 0) Volatile.Write(ref found.Kernels[index], (nint)new PanelTileCode(format, rows, panels).Place());
            return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)found.Kernels[index];
        }

        static Predicate<Entry> Matches(PanelFormat format) => e => e.Format == format;
    }

    /// <summary>The processor's own tiles. Only where <see cref="TileFeatures.ByteRefusal"/> is null.</summary>
    internal readonly struct HardwareTiles : ITileKernel
    {
        public static void Run(in PanelFormat format, int rows, int panels, PanelCall* call) => Get(format, rows, panels)(call);
    }

    private sealed class Entry(PanelFormat format)
    {
        public PanelFormat Format { get; } = format;

        public nint[] Kernels { get; } = new nint[PanelTileCode.MaxRows * PanelTileCode.MaxPanels];
    }
}
