using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <summary>Decodes panels into scratch for products of many rows: E4M3 to bfloat16, nibbles to bytes; scales are copied.</summary>
internal static unsafe class PanelUnpacking
{
    /// <summary>Decodes some blocks of some panels.</summary>
    /// <param name="format">E4M3 or nibbles.</param>
    /// <param name="source">First block of the first panel, the first of a super-block.</param>
    /// <param name="panelBytes">Bytes from one panel to the next in the source.</param>
    /// <param name="blocks">Blocks of each panel.</param>
    /// <param name="panels">How many panels.</param>
    /// <param name="destination">Gets the panels one after the other, <paramref name="blocks"/> blocks each.</param>
    public static void Run(in PanelFormat format, byte* source, nint panelBytes, int blocks, int panels, byte* destination)
    {
        if (format.SuperBlock > 1)
        {
            RunSuper(format, source, panelBytes, blocks, panels, destination);
            return;
        }

        int unpackedBytes = format.Unpacked.CodeBytes, codeBytes = format.CodeBytes, scales = format.BlockBytes - codeBytes;
        for (int panel = 0; panel < panels; panel++, source += panelBytes)
        {
            byte* block = source;
            for (int b = 0; b < blocks; b++, block += format.BlockBytes, destination += unpackedBytes + scales)
            {
                if (format.Element == PanelElement.E4M3) DecodeE4M3(block, codeBytes, destination);
                else DecodeNibbles(format, block, destination);
                Buffer.MemoryCopy(block + codeBytes, destination + unpackedBytes, scales, scales);
            }
        }
    }

    // Scales and minima are multiplied out.
    private static void RunSuper(in PanelFormat format, byte* source, nint panelBytes, int blocks, int panels, byte* destination)
    {
        int codeBytes = format.CodeBytes, unpackedBytes = format.Unpacked.CodeBytes, inSuper = format.SuperBlock, minima = format.HasMinimum ? 16 * inSuper : 0;
        float* factors = stackalloc float[32];
        for (int panel = 0; panel < panels; panel++, source += panelBytes)
        {
            byte* block = source;
            for (int b = 0; b < blocks; b += inSuper, block += format.SuperBlockBytes - inSuper * codeBytes)
            {
                byte* scales = block + inSuper * codeBytes;
                WidenHalves(scales + format.FactorOffset, factors);
                if (minima > 0) WidenHalves(scales + format.FactorOffset + 32, factors + 16);
                for (int i = 0; i < inSuper; i++, block += codeBytes, scales += 16)
                {
                    DecodeNibbles(format, block, destination);
                    destination += unpackedBytes;
                    MultiplyOut(scales, factors, (float*)destination);
                    destination += 64;
                    if (minima == 0) continue;
                    MultiplyOut(scales + minima, factors + 16, (float*)destination);
                    destination += 64;
                }
            }
        }
    }

    private static void MultiplyOut(byte* scales, float* factors, float* destination)
    {
        if (Avx512F.IsSupported)
        {
            var integers = Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)scales));
            (Vector512.ConvertToSingle(integers) * Vector512.Load(factors)).Store(destination);
            return;
        }

        for (int i = 0; i < 16; i++) destination[i] = ((sbyte*)scales)[i] * factors[i];
    }

    // Sixteen FP16 numbers: exponent and fraction moved to their places are 2^-112 of the value, also for subnormals.
    private static void WidenHalves(byte* halves, float* destination)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load((ushort*)halves));
        var codes = Vector512.Create(lower, upper);
        var magnitude = Vector512.ShiftLeft(codes & Vector512.Create(0x7FFFu), 13);
        var value = (magnitude.AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();
        value |= Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x0F800000u)) & Vector512.Create(0x7F800000u);
        (value | Vector512.ShiftLeft(codes & Vector512.Create(0x8000u), 16)).AsSingle().Store(destination);
    }

    private static void DecodeE4M3(byte* source, int length, byte* destination)
    {
        if (Avx512Vbmi.IsSupported)
        {
            for (int i = 0; i < length; i += 64, destination += 128)
            {
                var (first, second) = E4M3Codes.Widen(Vector512.Load(source + i));
                first.Store(destination);
                second.Store(destination + 64);
            }
        }
        else if (Avx2.IsSupported) DecodeQuarters(source, length, destination);
        else DecodeEach(source, length, destination);
    }

    /// <summary>Sixteen codes at a time: a quarter of both registers' worth. Needs AVX2.</summary>
    internal static void DecodeQuarters(byte* source, int length, byte* destination)
    {
        for (int i = 0; i < length; i += 64, destination += 128)
        {
            for (int quarter = 0; quarter < 64; quarter += 16)
            {
                var values = E4M3Codes.Widen(Avx2.ConvertToVector256Int16(source + i + quarter).AsUInt16()).AsByte();
                values.GetLower().Store(destination + quarter);
                values.GetUpper().Store(destination + 64 + quarter);
            }
        }
    }

    /// <summary>One code at a time.</summary>
    internal static void DecodeEach(byte* source, int length, byte* destination)
    {
        for (int i = 0; i < length; i++)
        {
            int quarter = i / 16 % 4 * 16, place = i % 16;
            *(ushort*)(destination + i / 64 * 128 + (place < 8 ? 0 : 64) + quarter + place % 8 * 2) = E4M3Codes.Widen(source[i]);
        }
    }

    private static void DecodeNibbles(in PanelFormat format, byte* source, byte* destination)
    {
        if (format.HighBits == 2) DecodeSixBits(source, destination);
        else if (format.HighBits == 1) DecodeFiveBits(source, destination);
        else
        {
            for (int end = format.CodeBytes, i = 0; i < end; i += 64, destination += 128)
            {
                var (lower, upper) = Nibbles(source + i);
                lower.Store(destination);
                upper.Store(destination + 64);
            }
        }
    }

    // 32 k: four registers of nibbles; bit i of a byte of the fifth belongs to the i-th register of codes.
    private static void DecodeFiveBits(byte* source, byte* destination)
    {
        var (high, mask) = (Vector512.Load((ushort*)(source + 256)), Vector512.Create((ushort)0x1010));
        var (a0, a1) = Nibbles(source);
        var (b0, b1) = Nibbles(source + 64);
        var (c0, c1) = Nibbles(source + 128);
        var (d0, d1) = Nibbles(source + 192);
        (a0 | (Vector512.ShiftLeft(high, 4) & mask).AsByte()).Store(destination);
        (a1 | (Vector512.ShiftLeft(high, 3) & mask).AsByte()).Store(destination + 64);
        (b0 | (Vector512.ShiftLeft(high, 2) & mask).AsByte()).Store(destination + 128);
        (b1 | (Vector512.ShiftLeft(high, 1) & mask).AsByte()).Store(destination + 192);
        (c0 | (high & mask).AsByte()).Store(destination + 256);
        (c1 | (Vector512.ShiftRightLogical(high, 1) & mask).AsByte()).Store(destination + 320);
        (d0 | (Vector512.ShiftRightLogical(high, 2) & mask).AsByte()).Store(destination + 384);
        (d1 | (Vector512.ShiftRightLogical(high, 3) & mask).AsByte()).Store(destination + 448);
    }

    // 16 k: two registers of nibbles; bits 2i and 2i + 1 of a byte of the third belong to the i-th register of codes.
    private static void DecodeSixBits(byte* source, byte* destination)
    {
        var (high, mask) = (Vector512.Load((ushort*)(source + 128)), Vector512.Create((ushort)0x3030));
        var (a0, a1) = Nibbles(source);
        var (b0, b1) = Nibbles(source + 64);
        (a0 | (Vector512.ShiftLeft(high, 4) & mask).AsByte()).Store(destination);
        (a1 | (Vector512.ShiftLeft(high, 2) & mask).AsByte()).Store(destination + 64);
        (b0 | (high & mask).AsByte()).Store(destination + 128);
        (b1 | (Vector512.ShiftRightLogical(high, 2) & mask).AsByte()).Store(destination + 192);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<byte> Lower, Vector512<byte> Upper) Nibbles(byte* source)
    {
        var (codes, mask) = (Vector512.Load(source), Vector512.Create((byte)15));
        return (codes & mask, Vector512.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask);
    }
}
