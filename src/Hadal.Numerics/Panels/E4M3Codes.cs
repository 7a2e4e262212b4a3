using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>E4M3 codes as bfloat16, in which every value is exact: a magnitude of seven bits looks up its two bytes, the sign goes to the upper one.</summary>
internal static unsafe class E4M3Codes
{
    private static readonly byte* _tables = MakeTables();

    /// <summary>128 lower, then 128 upper bytes of the bfloat16 values of the magnitudes; assembled code reads them, too.</summary>
    public static byte* Tables => _tables;

    /// <summary>The bfloat16 code of a code.</summary>
    public static ushort Widen(byte code) => (ushort)(_tables[code & 0x7F] | (_tables[128 + (code & 0x7F)] | code & 0x80) << 8);

    /// <summary>64 codes as 64 bfloat16 codes: eight of each quarter's sixteen to the first register, eight to the second. Needs AVX512_VBMI.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<byte> First, Vector512<byte> Second) Widen(Vector512<byte> codes)
    {
        var lower = Avx512Vbmi.PermuteVar64x8x2(Vector512.Load(_tables), codes, Vector512.Load(_tables + 64));
        var upper = Avx512Vbmi.PermuteVar64x8x2(Vector512.Load(_tables + 128), codes, Vector512.Load(_tables + 192)) | (codes & Vector512.Create((byte)0x80));
        return (Avx512BW.UnpackLow(lower, upper), Avx512BW.UnpackHigh(lower, upper));
    }

    /// <summary>Sixteen 16-bit words, each a code in its lower byte, as bfloat16 codes. Needs AVX2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Widen(Vector256<ushort> codes)
    {
        // Where the exponent is not zero, the seven bits move up by four and the exponent's bias grows by 120; below 2^-6 eight values are looked up.
        var magnitude = codes & Vector256.Create((ushort)0x7F);
        var normal = Vector256.ShiftLeft(magnitude, 4) + Vector256.Create((ushort)(120 << 7));
        var places = (magnitude & Vector256.Create((ushort)7)) * Vector256.Create((ushort)0x0202) + Vector256.Create((ushort)0x0100);
        var small = Avx2.Shuffle(Vector256.Create(0, 0x3B00, 0x3B80, 0x3BC0, 0x3C00, 0x3C20, 0x3C40, 0x3C60, 0, 0x3B00, 0x3B80, 0x3BC0, 0x3C00, 0x3C20, 0x3C40, (ushort)0x3C60).AsByte(), places.AsByte());
        var value = Vector256.ConditionalSelect(Vector256.LessThan(magnitude.AsInt16(), Vector256.Create((short)8)).AsUInt16(), small.AsUInt16(), normal);
        value = Vector256.ConditionalSelect(Vector256.Equals(magnitude, Vector256.Create((ushort)0x7F)), Vector256.Create((ushort)0x7FC0), value);
        return value | Vector256.ShiftLeft(codes & Vector256.Create((ushort)0x80), 8);
    }

    private static byte* MakeTables()
    {
        byte* tables = (byte*)NativeMemory.AlignedAlloc(256, 64);
        for (int code = 0; code < 128; code++)
        {
            ushort value = BFloat16.FromSingle(Float8E4M3.ToSingle((byte)code));
            tables[code] = (byte)value;
            tables[128 + code] = (byte)(value >> 8);
        }

        return tables;
    }
}
