using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Brings sixteen rows of weights into a panel.</summary>
/// <remarks>
/// Each row is coded in natural order of k first (or read where it lies, if it has the format's codes already); then sixteen rows are transposed in units of four
/// bytes, which is the order of all formats up to a last touch: subnormals of bfloat16 become zero (the dot product instruction takes them for zero), pairs of E4M3 move
/// together, nibbles join.
/// </remarks>
internal static unsafe partial class PanelPacking
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
        int blocks = format.Blocks(depth), size = format.CodeSize;
        var scratch = PackingScratch.Of(blocks * format.Block * size, blocks);
        nint* starts = stackalloc nint[16];
        for (int r = 0; r < 16; r++)
        {
            byte* coded = scratch.Row(r);
            if (r < count && IsReadable(format, rows[r], depth)) coded = rows[r].Codes;
            else if (r < count) CodeRow(format, rows[r], depth, coded, scratch.Scales(r), scratch.Minima(r));
            else Fill(format, coded, blocks);
            if (r < count && HasScales(format, rows[r])) SpreadScales(format, rows[r], depth, scratch.Scales(r));
            if (r < count && format.Element == PanelElement.E4M3) MarkNotANumber(format, coded, blocks, scratch.Scales(r));
            if (r >= count) new Span<float>(scratch.Scales(r), blocks).Clear();
            starts[r] = (nint)coded;
        }

        if (format.ScaleSize == 0)
        {
            // Nothing stands between the blocks.
            Transpose(starts, 0, blocks * format.Block * size / 4, panel, format);
            SettleStores();
            return;
        }

        for (int b = 0; b < blocks; b++)
        {
            byte* block = panel + format.Offset(b);
            Transpose(starts, b * format.Block * size, format.Block * size / 4, block, format);
            if (format.SuperBlock == 1) WriteScales(format, scratch, b, count, block + format.CodeBytes);
            else WriteSuperScales(format, scratch, rows, b, count, panel);
        }
    }

    // The scratch holds integers here; their factors are still where the rows are stored.
    private static void WriteSuperScales(in PanelFormat format, PackingScratch scratch, WeightRow* rows, int block, int count, byte* panel)
    {
        byte* scales = PanelCodes.SuperScales(format, panel, block) + block % format.SuperBlock * 16;
        for (int r = 0; r < 16; r++)
        {
            ((sbyte*)scales)[r] = (sbyte)scratch.Scales(r)[block];
            if (format.HasMinimum) scales[16 * format.SuperBlock + r] = (byte)(r < count ? scratch.Minima(r)[block] : 0);
        }

        if (block % format.SuperBlock > 0) return;
        var factors = PanelCodes.Factors(format, panel, block);
        new Span<byte>(factors, 64).Clear();
        for (int r = 0; r < count; r++)
        {
            BlockRowCoding.Factors(rows[r].Blocks!.Value, rows[r].Codes, block / format.SuperBlock, out factors[r], out Half minimum);
            if (format.HasMinimum) factors[16 + r] = minimum;
        }

        SettleStores();
    }

    // Stores that go past the caches are seen by others in order only behind a fence.
    private static void SettleStores()
    {
        if (Sse.IsSupported) Sse.StoreFence();
    }

    private static void WriteScales(in PanelFormat format, PackingScratch scratch, int block, int count, byte* destination)
    {
        if (format.ScaleSize == sizeof(float) && !format.HasMinimum)
        {
            float* scales = scratch.Scales(0) + block;
            for (int r = 0; r < 16; r++) ((float*)destination)[r] = scales[r * scratch.Blocks];
            return;
        }

        for (int r = 0; r < 16; r++)
        {
            PanelCodes.Write(destination, format.ScaleSize, r, scratch.Scales(r)[block]);
            if (format.HasMinimum) PanelCodes.Write(destination + format.MinimumOffset - format.CodeBytes, format.ScaleSize, r, r < count ? scratch.Minima(r)[block] : 0);
        }
    }

    private static bool IsReadable(in PanelFormat format, in WeightRow row, int depth) => depth % format.Block == 0 && (format.Element, row.Type) switch
    {
        (PanelElement.E4M3, DType.F8E4M3) or (PanelElement.BFloat16, DType.BF16) or (PanelElement.Float16, DType.F16) => true,
        _ => false,
    };

    private static bool HasScales(in PanelFormat format, in WeightRow row) => (format.Element, row.Type) switch
    {
        (PanelElement.E4M3, DType.F8E4M3) => true,
        (PanelElement.BFloat16, DType.BF16) => format.ScaleSize > 0,
        _ => false,
    };

    private static void Fill(in PanelFormat format, byte* coded, int blocks) =>
        new Span<byte>(coded, blocks * format.Block * format.CodeSize).Fill((byte)format.ZeroPoint);

    private static void CodeRow(in PanelFormat format, in WeightRow row, int depth, byte* coded, float* scales, float* minima)
    {
        int padded = format.Blocks(depth) * format.Block;
        if (row.Blocks is { } stored)
        {
            BlockRowCoding.Run(stored, row.Codes, depth, coded, scales, minima);
            return;
        }

        switch (format.Element, row.Type)
        {
            case (PanelElement.BFloat16, DType.BF16):
            case (PanelElement.Float16, DType.F16):
                new ReadOnlySpan<ushort>(row.Codes, depth).CopyTo(new Span<ushort>(coded, depth));
                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.BFloat16, DType.F32):
                BFloat16.Narrow((float*)row.Codes, (ushort*)coded, depth);
                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.BFloat16, DType.F16):
                for (int k = 0; k < depth; k++) ((ushort*)coded)[k] = BFloat16.FromSingle((float)((Half*)row.Codes)[k]);
                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.Float16, DType.F32):
                for (int k = 0; k < depth; k++) ((Half*)coded)[k] = PanelCodes.NarrowToHalf(((float*)row.Codes)[k]);
                new Span<ushort>((ushort*)coded + depth, padded - depth).Clear();
                return;
            case (PanelElement.Float16, DType.BF16):
                for (int k = 0; k < depth; k++) ((Half*)coded)[k] = PanelCodes.NarrowToHalf(BFloat16.ToSingle(((ushort*)row.Codes)[k]));
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
            case DType.F16:
                for (int i = 0; i < count; i++) values[i] = (float)((Half*)row.Codes)[k + i];
                break;
            case DType.F8E4M3:
                for (int i = 0; i < count; i++) values[i] = Float8E4M3.ToSingle(row.Codes[k + i]) * (row.Scales == null ? 1 : row.Scales[(k + i) / row.ScaleDepth]);
                break;
            default:
                throw new NotSupportedException($"Weights of {row.Type} cannot be packed.");
        }
    }

    // A NaN among a row's weights makes every product with its block NaN. A scale of NaN does so, too, and spares kernels from knowing the code.
    private static void MarkNotANumber(in PanelFormat format, byte* coded, int blocks, float* scales)
    {
        for (int b = 0; b < blocks; b++)
        {
            var found = Vector128<byte>.Zero;
            for (int k = 0; k < format.Block; k += 16) found |= Vector128.Equals(Vector128.Load(coded + b * format.Block + k) & Vector128.Create((byte)0x7F), Vector128.Create((byte)0x7F));
            if (found != Vector128<byte>.Zero) scales[b] = float.NaN;
        }
    }

    // A block of the panel never reaches over a block of the checkpoint's scales: its length divides theirs, or is theirs.
    private static void SpreadScales(in PanelFormat format, in WeightRow row, int depth, float* scales)
    {
        int blocks = format.Blocks(depth);
        if (row.Scales == null) new Span<float>(scales, blocks).Fill(1);
        else if (row.ScaleDepth == format.Block) new ReadOnlySpan<float>(row.Scales, blocks).CopyTo(new Span<float>(scales, blocks));
        else for (int b = 0; b < blocks; b++) scales[b] = row.Scales[b * format.Block / row.ScaleDepth];
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

        /// <summary>Scales from one row to the next.</summary>
        public int Blocks => _blocks;

        public byte* Row(int row) => _memory + row * _rowBytes;

        public float* Scales(int row) => (float*)(_memory + 16 * _rowBytes) + row * _blocks;

        public float* Minima(int row) => Scales(16) + row * _blocks;
    }
}
