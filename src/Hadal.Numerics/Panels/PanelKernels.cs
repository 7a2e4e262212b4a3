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
    public static bool Has(KernelForm form, in PanelFormat format) => form switch
    {
        _ when format.InTiles => false,
        KernelForm.Assembled512 when format.HasSingleActivations => ProcessorFeatures.HasAvx512,
        KernelForm.Assembled512 => format.HasByteActivations
            ? ProcessorFeatures.HasByteDot512
            : ProcessorFeatures.HasBFloat16Dot512 && (format.Element != PanelElement.E4M3 || ProcessorFeatures.HasByteLookup512),
        KernelForm.Assembled256 => ProcessorFeatures.HasByteDot256 && PanelKernelCode256.Supports(format.Unpacked),
        KernelForm.Assembled256Plain => ProcessorFeatures.HasFused256 && PanelKernelCode256.Supports(format.Unpacked),
        _ => false,
    };

    /// <summary>Whose kernels a form uses for a format: its own, or where an instruction is missing those for 256-bit registers; null leaves it to the portable form.</summary>
    public static KernelForm? Of(KernelForm form, in PanelFormat format)
    {
        if (Has(form, format)) return form;
        if (form != KernelForm.Assembled512) return null;
        return Has(KernelForm.Assembled256, format) ? KernelForm.Assembled256 : Has(KernelForm.Assembled256Plain, format) ? KernelForm.Assembled256Plain : null;
    }

    /// <summary>The kernel of a size.</summary>
    /// <param name="form">An assembled form that <see cref="Has"/> the format.</param>
    /// <param name="format">The panels' format.</param>
    /// <param name="rows">1 … 12, on 256-bit registers 1 … 6.</param>
    /// <param name="panels">1, 2 or 4.</param>
    /// <param name="streaming">Whether panels come from memory.</param>
    public static delegate* unmanaged[SuppressGCTransition]<PanelCall*, void> Get(KernelForm form, in PanelFormat format, int rows, int panels, bool streaming)
    {
        int index = ((rows - 1) * 3 + (panels >> 1)) * 2 + (streaming ? 1 : 0);
        foreach (var entry in _entries)
        {
            if (entry.Form != form || entry.Format != format) continue;
            nint kernel = Volatile.Read(ref entry.Kernels[index]);
            if (kernel != 0) return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)kernel;
        }

        return Make(form, format, rows, panels, streaming, index);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static delegate* unmanaged[SuppressGCTransition]<PanelCall*, void> Make(KernelForm form, in PanelFormat format, int rows, int panels, bool streaming, int index)
    {
        lock (_gate)
        {
            Entry? found = null;
            foreach (var entry in _entries)
            {
                if (entry.Form == form && entry.Format == format) found = entry;
            }

            if (found is null)
            {
                found = new Entry(form, format);
                _entries = [.. _entries, found];
            }

            if (found.Kernels[index] == 0) Volatile.Write(ref found.Kernels[index], (nint)Code(form, format, rows, panels, streaming).Place());
            return (delegate* unmanaged[SuppressGCTransition]<PanelCall*, void>)found.Kernels[index];
        }
    }

    private static KernelCode Code(KernelForm form, in PanelFormat format, int rows, int panels, bool streaming) => form == KernelForm.Assembled512
        ? new PanelKernelCode(format, rows, panels, streaming)
        : new PanelKernelCode256(format, rows, panels, streaming, hasByteDot: form == KernelForm.Assembled256);

    private sealed class Entry(KernelForm form, PanelFormat format)
    {
        public KernelForm Form { get; } = form;

        public PanelFormat Format { get; } = format;

        public nint[] Kernels { get; } = new nint[PerFormat];
    }
}
