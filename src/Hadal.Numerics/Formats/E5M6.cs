using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Formats;

/// <summary>E5M6: 1 sign, 5 exponent (bias 15), 6 fraction bits, twelve in all, two values in three bytes; what the input of the product behind attention is kept in
/// (report section 3.3.3). FP16 with four fraction bits less.</summary>
public static unsafe class E5M6
{
    /// <summary>The largest finite value, which greater ones are rounded to.</summary>
    public const float MaxValue = 65024;

    // Below 2^-14 values are 2^-20 apart: the unit in the last place of 1.5·2^3.
    private const float LeastNormal = 1f / 16384, Anchor = 12, InverseUnit = 1 << 20;

    /// <summary>The value of a code.</summary>
    /// <param name="code">Twelve bits.</param>
    /// <returns>The value; exact.</returns>
    public static float ToSingle(ushort code) => (float)BitConverter.UInt16BitsToHalf((ushort)(code << 4));

    /// <summary>The nearest code, ties to even, saturating.</summary>
    /// <param name="value">Any value; NaN stays NaN.</param>
    /// <returns>Twelve bits.</returns>
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value), sign = bits >> 20 & 0x800, magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) return (ushort)(sign | 0x7FF);
        float size = BitConverter.UInt32BitsToSingle(magnitude);
        if (size < LeastNormal) return (ushort)(sign | (uint)((size + Anchor - Anchor) * InverseUnit));
        uint rounded = magnitude + 0xFFFF + (magnitude >> 17 & 1);
        return (ushort)(sign | Math.Min((rounded >> 17) - (112 << 6), 0x7BFu));
    }

    /// <summary>Codes of sixteen values.</summary>
    internal static Vector512<uint> FromSingle(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var sign = Vector512.ShiftRightLogical(bits, 20) & Vector512.Create(0x800u);
        var size = Vector512.Abs(value);
        var anchor = Vector512.Create(Anchor);
        var small = Vector512.ConvertToUInt32((size + anchor - anchor) * Vector512.Create(InverseUnit));
        var rounded = size.AsUInt32() + Vector512.Create(0xFFFFu) + (Vector512.ShiftRightLogical(size.AsUInt32(), 17) & Vector512<uint>.One);
        var normal = Vector512.Min(Vector512.ShiftRightLogical(rounded, 17) - Vector512.Create(112u << 6), Vector512.Create(0x7BFu));
        var code = Vector512.ConditionalSelect(Vector512.LessThan(size, Vector512.Create(LeastNormal)).AsUInt32(), small, normal);
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), code, Vector512.Create(0x7FFu)) | sign;
    }

    /// <summary>Bytes of a row.</summary>
    /// <param name="count">Values.</param>
    /// <returns>Three for two values, an odd one counted as two.</returns>
    public static int Bytes(int count) => (count + 1) / 2 * 3;

    /// <summary>x / scale as packed codes.</summary>
    internal static void Pack(float* x, int count, float scale, byte* packed)
    {
        ushort* codes = stackalloc ushort[16];
        var divisor = Vector512.Create(scale);
        for (int i = 0; i < count; i += 16, packed += 24)
        {
            int part = Math.Min(16, count - i);
            if (part == 16 && Avx512F.IsSupported) Avx512F.ConvertToVector256UInt16(FromSingle(Vector512.Load(x + i) / divisor)).Store(codes);
            else
            {
                for (int j = 0; j < part; j++) codes[j] = FromSingle(x[i + j] / scale);
                if (part < 16) codes[part] = 0;
            }

            for (int j = 0; j < part; j += 2) Join(codes[j], codes[j + 1], packed + j / 2 * 3);
        }
    }

    /// <summary>code · scale of packed codes.</summary>
    internal static void Unpack(byte* packed, int count, float scale, float* x)
    {
        for (int i = 0; i < count; i += 2, packed += 3)
        {
            x[i] = ToSingle((ushort)(packed[0] | (packed[1] & 0xF) << 8)) * scale;
            if (i + 1 < count) x[i + 1] = ToSingle((ushort)(packed[1] >> 4 | packed[2] << 4)) * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(int first, int second, byte* packed)
    {
        packed[0] = (byte)first;
        packed[1] = (byte)(first >> 8 | second << 4);
        packed[2] = (byte)(second >> 4);
    }
}
