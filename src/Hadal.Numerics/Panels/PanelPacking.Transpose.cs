using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <content>Sixteen rows become groups of four bytes per column.</content>
internal static unsafe partial class PanelPacking
{
    // starts: addresses of the rows' codes; offset: bytes from there; units: of four bytes.
    private static void Transpose(nint* starts, int offset, int units, byte* destination, in PanelFormat format)
    {
        if (format.Element == PanelElement.BFloat16) Transpose<FlushSubnormals>(starts, offset, units, (uint*)destination);
        else if (format.Element == PanelElement.Float16) Transpose<SplitPairs>(starts, offset, units, (uint*)destination);
        else if (format.Element == PanelElement.E4M3) Transpose<PairUp>(starts, offset, units, (uint*)destination);
        else if (format.Element == PanelElement.Nibble) TransposeNibbles(starts, offset, units, (uint*)destination, format.HighBits);
        else Transpose<Untouched>(starts, offset, units, (uint*)destination);
    }

    private static void TransposeNibbles(nint* starts, int offset, int units, uint* destination, int highBits)
    {
        uint* twice = stackalloc uint[PanelFormat.LargestBlock * 16 / 4];
        Transpose<Untouched>(starts, offset, units, twice, isScratch: true);
        var nibbles = Vector512.Create(0x0F0F0F0Fu);
        for (int g = 0; g < units / 2; g++)
            (Vector512.Load(twice + g * 32) & nibbles | Vector512.ShiftLeft(Vector512.Load(twice + g * 32 + 16) & nibbles, 4)).Store(destination + g * 16);
        if (highBits == 0) return;
        var (high, mask) = (Vector512<uint>.Zero, Vector512.Create((1u << highBits) - 1) * 0x01010101u);
        for (int u = 0; u < units; u++) high |= Vector512.ShiftLeft(Vector512.ShiftRightLogical(Vector512.Load(twice + u * 16), 4) & mask, highBits * u);
        high.Store(destination + units / 2 * 16);
    }

    private static void Transpose<TTouch>(nint* starts, int offset, int units, uint* groups, bool isScratch = false) where TTouch : struct, ITouch
    {
        nint* rows = stackalloc nint[16];
        bool aligned = true;
        for (int r = 0; r < 16; r++)
        {
            rows[r] = (starts[r] + offset) / sizeof(float);
            aligned &= (starts[r] + offset) % sizeof(float) == 0;
        }

        int unit = 0;
        if (aligned && SquareTranspose.Has16 && !isScratch && (nint)groups % 64 == 0)
        {
            for (; unit <= units - 16; unit += 16) SquareTranspose.Of16<Streamed<TTouch>>((float*)0 + unit, rows, (float*)groups + unit * 16);
        }
        else if (aligned && SquareTranspose.Has16)
        {
            for (; unit <= units - 16; unit += 16) SquareTranspose.Of16<TTouch>((float*)0 + unit, rows, (float*)groups + unit * 16);
        }
        else if (aligned && SquareTranspose.Has4)
        {
            for (; unit <= units - 4; unit += 4)
            {
                for (int r = 0; r < 16; r += 4) SquareTranspose.Of4((float*)0 + unit, rows + r, (float*)groups + unit * 16 + r);
                for (int g = 0; g < 4; g++) TTouch.Apply(groups + (unit + g) * 16);
            }
        }

        for (; unit < units; unit++)
        {
            for (int r = 0; r < 16; r++) groups[unit * 16 + r] = *(uint*)(starts[r] + offset + unit * 4);
            TTouch.Apply(groups + unit * 16);
        }
    }

    /// <summary>The last touch of a group: in a register, or where it lies.</summary>
    private interface ITouch : IColumnTouch
    {
        static abstract void Apply(uint* group);
    }

    // Panels are larger than caches: lines that are written as a whole need not be read before.
    private readonly struct Streamed<TTouch> : IColumnTouch where TTouch : struct, ITouch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column) => TTouch.Apply(column);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> column, float* destination) => column.StoreAlignedNonTemporal(destination);
    }

    private readonly struct Untouched : ITouch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column) => column;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> column, float* destination) => column.Store(destination);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(uint* group)
        {
        }
    }

    private readonly struct FlushSubnormals : ITouch
    {
        // 32 codes: of those whose exponent is zero the sign stays.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column)
        {
            var codes = column.AsUInt16();
            var small = Vector512.Equals(codes & Vector512.Create((ushort)0x7F80), Vector512<ushort>.Zero);
            return Vector512.ConditionalSelect(small, codes & Vector512.Create((ushort)0x8000), codes).AsSingle();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> column, float* destination) => column.Store(destination);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(uint* group)
        {
            for (int i = 0; i < 32; i += 8)
            {
                var codes = Vector128.Load((ushort*)group + i);
                var small = Vector128.Equals(codes & Vector128.Create((ushort)0x7F80), Vector128<ushort>.Zero);
                Vector128.ConditionalSelect(small, codes & Vector128.Create((ushort)0x8000), codes).Store((ushort*)group + i);
            }
        }
    }

    private readonly struct SplitPairs : ITouch
    {
        // [column][k 0, k 1] → sixteen columns of k 0, then sixteen of k 1.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column)
        {
            var pairs = column.AsUInt32();
            return Vector512.Create(Avx512F.ConvertToVector256UInt16(pairs), Avx512F.ConvertToVector256UInt16(Vector512.ShiftRightLogical(pairs, 16))).AsSingle();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(uint* group)
        {
            ushort* upper = stackalloc ushort[16];
            var codes = (ushort*)group;
            for (int c = 0; c < 16; c++) upper[c] = codes[2 * c + 1];
            for (int c = 0; c < 16; c++) codes[c] = codes[2 * c];
            for (int c = 0; c < 16; c++) codes[16 + c] = upper[c];
        }
    }

    private readonly struct PairUp : ITouch
    {
        // [column][k 0 … 3] of four columns at a time → pairs k 0 and 1 of the four, then pairs k 2 and 3: bytes of a quarter of the register.
        private static Vector128<byte> Order => Vector128.Create((byte)0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column)
        {
            // A literal, so that it is a constant in memory and not put together for every group.
            var order = Vector512.Create(
                0x0D0C_0908_0504_0100UL, 0x0F0E_0B0A_0706_0302, 0x0D0C_0908_0504_0100, 0x0F0E_0B0A_0706_0302, 0x0D0C_0908_0504_0100, 0x0F0E_0B0A_0706_0302,
                0x0D0C_0908_0504_0100, 0x0F0E_0B0A_0706_0302);
            return Avx512BW.Shuffle(column.AsByte(), order.AsByte()).AsSingle();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> column, float* destination) => column.Store(destination);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(uint* group)
        {
            for (int quarter = 0; quarter < 4; quarter++) Vector128.Shuffle(Vector128.Load((byte*)group + quarter * 16), Order).Store((byte*)group + quarter * 16);
        }
    }
}
