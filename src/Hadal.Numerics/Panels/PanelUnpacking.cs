using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <summary>Decodes panels into scratch for products of many rows: E4M3 to bfloat16, nibbles to bytes; scales are copied.</summary>
internal static unsafe class PanelUnpacking
{
    /// <summary>Decodes some blocks of some panels.</summary>
    /// <param name="format">E4M3 or nibbles.</param>
    /// <param name="source">First block of the first panel.</param>
    /// <param name="panelBytes">Bytes from one panel to the next in the source.</param>
    /// <param name="blocks">Blocks of each panel.</param>
    /// <param name="panels">How many panels.</param>
    /// <param name="destination">Gets the panels one after the other, <paramref name="blocks"/> blocks each.</param>
    public static void Run(in PanelFormat format, byte* source, nint panelBytes, int blocks, int panels, byte* destination)
    {
        int unpackedBytes = format.Unpacked.CodeBytes, codeBytes = format.CodeBytes, scales = format.BlockBytes - codeBytes;
        for (int panel = 0; panel < panels; panel++, source += panelBytes)
        {
            byte* block = source;
            for (int b = 0; b < blocks; b++, block += format.BlockBytes, destination += unpackedBytes + scales)
            {
                if (format.Element == PanelElement.E4M3) DecodeE4M3(block, codeBytes, destination);
                else DecodeNibbles(block, codeBytes, destination);
                Buffer.MemoryCopy(block + codeBytes, destination + unpackedBytes, scales, scales);
            }
        }
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

    private static void DecodeNibbles(byte* source, int length, byte* destination)
    {
        var mask = Vector512.Create((byte)15);
        for (int i = 0; i < length; i += 64, destination += 128)
        {
            var codes = Vector512.Load(source + i);
            (codes & mask).Store(destination);
            (Vector512.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask).Store(destination + 64);
        }
    }
}
