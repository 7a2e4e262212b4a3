using System.Runtime.CompilerServices;

namespace Hadal.Numerics.Formats;

/// <summary>What the two eight-bit formats share.</summary>
internal static class Float8
{
    public static float[] Table(Func<int, float> value)
    {
        var table = new float[256];
        for (int code = 0; code < 256; code++) table[code] = value(code);
        return table;
    }

    public static float SignedNaN(int code) => BitConverter.UInt32BitsToSingle(code < 0x80 ? 0x7FC00000u : 0xFFC00000u);

    /// <summary>(-1)^s · 2^(e - bias) · (1 + f/2^fractionBits), and 2^(1 - bias) · f/2^fractionBits for e = 0.</summary>
    public static float Value(int code, int fractionBits, int bias)
    {
        int exponent = (code & 0x7F) >> fractionBits;
        int fraction = code & (1 << fractionBits) - 1;
        int significand = exponent == 0 ? fraction : fraction | 1 << fractionBits;
        float magnitude = MathF.ScaleB(significand, Math.Max(exponent, 1) - bias - fractionBits);
        return code < 0x80 ? magnitude : -magnitude;
    }

    /// <summary>Nearest code, ties to even, not beyond the magnitude code <paramref name="largest"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Encode(float value, int fractionBits, int bias, uint largest)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint sign = bits >> 24 & 0x80;
        uint magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) return (byte)(sign | 0x7F);
        int dropped = 23 - fractionBits;
        uint code;
        if (magnitude < (uint)(127 + 1 - bias) << 23)
        {
            // Below the smallest normal value codes are evenly spaced by 2^(1 - bias - fractionBits). Adding the FP32 number whose unit in the last
            // place is that spacing makes the addition itself round to the nearest code, which is then in the lowest bits.
            uint anchor = (uint)(127 + 1 - bias + dropped) << 23;
            code = BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude) + BitConverter.UInt32BitsToSingle(anchor)) - anchor;
        }
        else
        {
            // Half a unit less one, plus the lowest kept bit: carries exactly when rounding to nearest even goes up. Then the exponent changes its bias.
            uint rounded = magnitude + (1u << dropped - 1) - 1 + (magnitude >> dropped & 1);
            code = Math.Min((rounded >> dropped) - ((uint)(127 - bias) << fractionBits), largest);
        }

        return (byte)(sign | code);
    }

    public static void Decode(ReadOnlySpan<byte> source, Span<float> destination, float[] values)
    {
        ThrowIfShorter(source.Length, destination.Length);
        for (int i = 0; i < source.Length; i++) destination[i] = values[source[i]];
    }

    public static void ThrowIfShorter(int source, int destination)
    {
        if (destination < source) throw new ArgumentException($"The destination has room for {destination} elements, the source has {source}.", nameof(destination));
    }
}
