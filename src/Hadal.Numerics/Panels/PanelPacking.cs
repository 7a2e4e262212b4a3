using System.Runtime.InteropServices;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Brings sixteen rows of weights into a panel.</summary>
/// <remarks>
/// Each row is coded in natural order of k first (or read where it lies, if it has the format's codes already); then sixteen rows are transposed in units of four
/// bytes, which is the order of all formats up to the last touch of E4M3 and nibbles.
/// </remarks>
internal static unsafe class PanelPacking
{
    /// <summary>Packs a panel.</summary>
    /// <param name="format">The panel's format.</param>
    /// <param name="rows">Up to sixteen rows of <paramref name="depth"/> values; missing ones are zero.</param>
    /// <param name="count">How many rows there are.</param>
    /// <param name="depth">K.</param>
    /// <param name="panel">Where the panel goes.</param>
    /// <exception cref="NotSupportedException">Codes of a row cannot become the format's.</exception>
    public static void Run(in PanelFormat format, WeightRow* rows, int count, int depth, byte* panel)
    {
        int blocks = format.Blocks(depth), size = format.Element == PanelElement.BFloat16 ? 2 : 1;
        var scratch = PackingScratch.Of(blocks * format.Block * size, blocks);
        nint* starts = stackalloc nint[16];
        for (int r = 0; r < 16; r++)
        {
            byte* coded = scratch.Row(r);
            if (r < count && IsReadable(format, rows[r], depth)) coded = rows[r].Codes;
            else if (r < count) CodeRow(format, rows[r], depth, coded, scratch.Scales(r), scratch.Minima(r));
            else Fill(format, coded, blocks);
            if (r < count && rows[r].Type == DType.F8E4M3 && format.Element == PanelElement.E4M3) SpreadScales(format, rows[r], depth, scratch.Scales(r));
            if (r >= count) new Span<float>(scratch.Scales(r), blocks).Clear();
            starts[r] = (nint)coded;
        }

        for (int b = 0; b < blocks; b++, panel += format.BlockBytes)
        {
            Transpose(starts, b * format.Block * size, format.Block * size / 4, panel, format);
            for (int r = 0; format.ScaleSize > 0 && r < 16; r++)
            {
                PanelCodes.Write(panel + format.CodeBytes, format.ScaleSize, r, scratch.Scales(r)[b]);
                if (format.HasMinimum) PanelCodes.Write(panel + format.MinimumOffset, format.ScaleSize, r, r < count ? scratch.Minima(r)[b] : 0);
            }
        }
    }

    private static bool IsReadable(in PanelFormat format, in WeightRow row, int depth) => depth % format.Block == 0 && (format.Element, row.Type) switch
    {
        (PanelElement.E4M3, DType.F8E4M3) => true,
        _ => false,
    };

    private static void Fill(in PanelFormat format, byte* coded, int blocks) =>
        new Span<byte>(coded, blocks * format.Block * (format.Element == PanelElement.BFloat16 ? 2 : 1)).Fill((byte)format.ZeroPoint);

    private static void CodeRow(in PanelFormat format, in WeightRow row, int depth, byte* coded, float* scales, float* minima)
    {
        int padded = format.Blocks(depth) * format.Block;
        switch (format.Element, row.Type)
        {
            case (PanelElement.BFloat16, DType.BF16):
                for (int k = 0; k < depth; k++)
                {
                    ushort code = ((ushort*)row.Codes)[k];
                    ((ushort*)coded)[k] = (code & 0x7F80) == 0 ? (ushort)(code & 0x8000) : code;
                }

                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.BFloat16, DType.F32):
                for (int k = 0; k < depth; k++) ((ushort*)coded)[k] = PanelCodes.Narrow(((float*)row.Codes)[k]);
                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.E4M3, DType.F8E4M3):
                new ReadOnlySpan<byte>(row.Codes, depth).CopyTo(new Span<byte>(coded, depth));
                new Span<byte>(coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.E4M3 or PanelElement.Byte or PanelElement.Nibble, _):
                float* block = stackalloc float[PanelFormat.LargestBlock];
                for (int k = 0, b = 0; k < depth; k += format.Block, b++)
                {
                    int count = Math.Min(format.Block, depth - k);
                    Widen(row, k, count, block);
                    new Span<float>(block + count, format.Block - count).Clear();
                    scales[b] = format.Element switch
                    {
                        PanelElement.E4M3 => WeightQuantizer.ToE4M3(block, format, coded + k),
                        PanelElement.Byte => WeightQuantizer.ToBytes(block, format, coded + k),
                        _ => WeightQuantizer.ToNibbles(block, format, coded + k),
                    };
                }

                return;
            default:
                throw new NotSupportedException($"Weights of {row.Type} cannot be packed as {format.Element}.");
        }
    }

    /// <summary>Values of a row from <paramref name="k"/> on, in FP32; FP8 codes are multiplied by their scales.</summary>
    private static void Widen(in WeightRow row, int k, int count, float* values)
    {
        switch (row.Type)
        {
            case DType.F32:
                new ReadOnlySpan<float>((float*)row.Codes + k, count).CopyTo(new Span<float>(values, count));
                break;
            case DType.BF16:
                BFloat16.Widen((ushort*)row.Codes + k, values, count);
                break;
            case DType.F8E4M3:
                for (int i = 0; i < count; i++) values[i] = Float8E4M3.ToSingle(row.Codes[k + i]) * (row.Scales == null ? 1 : row.Scales[(k + i) / row.ScaleDepth]);
                break;
            default:
                throw new NotSupportedException($"Weights of {row.Type} cannot be packed.");
        }
    }

    // A block of the panel never reaches over a block of the checkpoint's scales: its length divides theirs, or is theirs.
    private static void SpreadScales(in PanelFormat format, in WeightRow row, int depth, float* scales)
    {
        for (int b = 0; b < format.Blocks(depth); b++) scales[b] = row.Scales == null ? 1 : row.Scales[b * format.Block / row.ScaleDepth];
    }

    private static void Transpose(nint* starts, int offset, int units, byte* destination, in PanelFormat format)
    {
        nint* rows = stackalloc nint[16];
        for (int r = 0; r < 16; r++) rows[r] = (starts[r] + offset) / sizeof(float);
        bool aligned = true;
        for (int r = 0; r < 16; r++) aligned &= (starts[r] + offset) % sizeof(float) == 0;
        uint* groups = (uint*)destination;
        uint* twice = stackalloc uint[PanelFormat.LargestBlock * 16 / 4];
        if (format.Element == PanelElement.Nibble) groups = twice;
        int unit = 0;
        if (aligned && SquareTranspose.Has16)
        {
            for (; unit <= units - 16; unit += 16) SquareTranspose.Of16((float*)0 + unit, rows, (float*)groups + unit * 16);
        }

        for (; unit < units; unit++)
        {
            for (int r = 0; r < 16; r++) groups[unit * 16 + r] = *(uint*)(starts[r] + offset + unit * 4);
        }

        if (format.Element == PanelElement.Nibble)
        {
            for (int g = 0; g < units / 2; g++)
            {
                for (int r = 0; r < 16; r++) ((uint*)destination)[g * 16 + r] = twice[g * 32 + r] | twice[g * 32 + 16 + r] << 4;
            }
        }
        else if (format.Element == PanelElement.E4M3)
        {
            for (int g = 0; g < units; g++) PairUp(destination + g * 64);
        }
    }

    // [column][k 0 … 3] of four columns at a time → pairs k 0 and 1 of the four, then pairs k 2 and 3.
    private static void PairUp(byte* group)
    {
        for (int quarter = 0; quarter < 4; quarter++)
        {
            ushort* pairs = (ushort*)(group + quarter * 16);
            ulong low = 0, high = 0;
            for (int column = 3; column >= 0; column--)
            {
                low = low << 16 | pairs[column * 2];
                high = high << 16 | pairs[column * 2 + 1];
            }

            ((ulong*)pairs)[0] = low;
            ((ulong*)pairs)[1] = high;
        }
    }

    /// <summary>One thread's room for sixteen coded rows; grows with the longest row.</summary>
    private sealed class PackingScratch
    {
        [ThreadStatic]
        private static PackingScratch? _current;

        private byte* _memory;
        private nint _rowBytes;
        private int _blocks;

        ~PackingScratch() => NativeMemory.AlignedFree(_memory);

        public static PackingScratch Of(int rowBytes, int blocks)
        {
            var scratch = _current ??= new PackingScratch();
            if (scratch._memory != null && scratch._rowBytes >= rowBytes && scratch._blocks >= blocks) return scratch;
            NativeMemory.AlignedFree(scratch._memory);
            // An odd number of cache lines, so that rows do not compete for the same sets.
            scratch._rowBytes = (rowBytes + 63) / 64 * 64 | 64;
            scratch._blocks = blocks;
            scratch._memory = (byte*)NativeMemory.AlignedAlloc((nuint)(16 * (scratch._rowBytes + 2 * sizeof(float) * (nint)blocks)), 64);
            return scratch;
        }

        public byte* Row(int row) => _memory + row * _rowBytes;

        public float* Scales(int row) => (float*)(_memory + 16 * _rowBytes) + row * _blocks;

        public float* Minima(int row) => Scales(16) + row * _blocks;
    }
}
