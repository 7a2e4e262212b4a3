using System.Runtime.CompilerServices;
using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>The assembled kernels made so far: each is written on first use (about a millisecond) and kept.</summary>
internal static unsafe class PanelKernels
{
    // A format's kernels, by rows, panels and streaming.
    private const int PerFormat = PanelGemm.MaxKernelRows * 3 * 2;
    private static readonly Lock _gate = new();
    private static volatile Entry[] _entries = [];

    /// <summary>Whether a form has an assembled kernel for a format on this machine.</summary>
    public static bool Has(KernelForm form, in PanelFormat format) => form == KernelForm.Assembled512 && (format.HasSingleActivations
        ? ProcessorFeatures.HasAvx512
        : format.HasByteActivations
        ? ProcessorFeatures.HasByteDot512
        : ProcessorFeatures.HasBFloat16Dot512 && (format.Element != PanelElement.E4M3 || ProcessorFeatures.HasByteLookup512));

    /// <summary>The kernel of a size.</summary>
    /// <param name="format">The panels' format.</param>
    /// <param name="rows">1 … 12.</param>
    /// <param name="panels">1, 2 or 4.</param>
    /// <param name="streaming">Whether panels come from memory.</param>
    public static delegate* unmanaged[SuppressGCTransition]<PanelCall*, void> Get(in PanelFormat format, int rows, int panels, bool streaming)
    {
        int index = ((rows - 1) * 3 + (panels >> 1)) * 2 + (streaming ? 1 : 0);
        foreach (var entry in _entries)
        {
            if (entry.Format != format) continue;
            nint kernel = Volatile.Read(ref entry.Kernels[index]);
            if (kernel != 0) return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)kernel;
        }

        return Make(format, rows, panels, streaming, index);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static delegate* unmanaged[SuppressGCTransition]<PanelCall*, void> Make(in PanelFormat format, int rows, int panels, bool streaming, int index)
    {
        lock (_gate)
        {
            Entry? found = null;
            foreach (var entry in _entries)
            {
                if (entry.Format == format) found = entry;
            }

            if (found is null)
            {
                found = new Entry(format);
                _entries = [.. _entries, found];
            }

            if (found.Kernels[index] == 0) Volatile.Write(ref found.Kernels[index], (nint)new PanelKernelCode(format, rows, panels, streaming).Place());
            return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)found.Kernels[index];
        }
    }

    private sealed class Entry(PanelFormat format)
    {
        public PanelFormat Format { get; } = format;

        public nint[] Kernels { get; } = new nint[PerFormat];
    }
}
