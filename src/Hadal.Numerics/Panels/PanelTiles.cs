using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>The kernels on tiles in hardware, and whether they are used.</summary>
/// <remarks>
/// They are used where nothing forbids it and a product on them has the bits of the scalar form: that is tried once, in a millisecond or two, before the first result counts.
/// Naming a form in <see cref="KernelForms.Variable"/> asks for just that form, without tiles.
/// </remarks>
internal static unsafe class PanelTiles
{
    private static readonly Lazy<string?> _refusal = new(Find);
    private static readonly Lock _gate = new();
    private static volatile Entry[] _entries = [];

    /// <summary>Why the assembled form does without tiles; null if it has them.</summary>
    public static string? Refusal => _refusal.Value;

    private static string? Find()
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable(KernelForms.Variable))) return $"{KernelForms.Variable} asks for a form without them";
        if (KernelForms.Current != KernelForm.Assembled512) return "they go with the assembled form on 512-bit registers";
        return TileFeatures.ByteRefusal ?? (HasTheBitsOfTheReference<HardwareTiles>() ? null : "a trial product on them has other bits than the scalar form");
    }

    /// <summary>A product of odd size, on tiles and in the scalar form.</summary>
    internal static bool HasTheBitsOfTheReference<TKernel>() where TKernel : struct, ITileKernel
    {
        const int rows = 35, columns = 41, blocks = 2;
        var format = new PanelFormat(PanelElement.Byte, 128, sizeof(float), 128);
        const int depth = 128 * blocks, panels = (columns + 15) / 16;
        byte[] left = new byte[rows * depth], right = new byte[panels * blocks * format.BlockBytes];
        var values = new ActivationBlock[rows * blocks];
        float[] expected = new float[rows * columns], actual = new float[rows * columns];
        for (int i = 0; i < left.Length; i++) left[i] = (byte)(i * 2654435761u >> 24);
        for (int i = 0; i < right.Length; i++) right[i] = (byte)(i * 2246822519u >> 24);
        for (int row = 0; row < rows; row++)
        {
            for (int b = 0; b < blocks; b++)
            {
                int sum = 0;
                for (int k = 0; k < 128; k++) sum += (sbyte)left[row * depth + b * 128 + k];
                values[row * blocks + b] = new ActivationBlock { Scale = 1f / (3 + row), Offset = -format.ZeroPoint * sum };
            }
        }

        fixed (byte* a = left, w = right)
        fixed (ActivationBlock* v = values)
        fixed (float* e = expected, c = actual)
        {
            for (int b = 0; b < panels * blocks; b++)
            {
                for (int column = 0; column < 16; column++) PanelCodes.Write(w + b * format.BlockBytes + format.CodeBytes, sizeof(float), column, 1f / (7 + column + b));
            }

            var problem = new PanelProblem
            {
                Format = format,
                Left = a,
                LeftStride = depth,
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

        return MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes<float>(actual));
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
