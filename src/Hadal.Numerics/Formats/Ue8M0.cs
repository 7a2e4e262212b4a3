namespace Hadal.Numerics.Formats;

/// <summary>UE8M0: eight exponent bits and nothing else. Code c is 2^(c - 127); 255 is NaN. The scale type of micro-scaling formats and of <c>scale_fmt: "ue8m0"</c>.</summary>
public static class Ue8M0
{
    /// <summary>The code of NaN.</summary>
    public const byte NaN = 255;

    // The floor under a group's largest magnitude, so that a group of zeros has a scale.
    private const float SmallestMaximum = 1e-4f;

    /// <summary>The value of a code, exact.</summary>
    /// <param name="code">Any of the 256 codes.</param>
    /// <returns>2^(code - 127), or NaN for 255.</returns>
    // Code 0 is 2^-127, a subnormal FP32 value: half the smallest normal one.
    public static float ToSingle(byte code) => BitConverter.UInt32BitsToSingle(code switch { 0 => 0x00400000u, NaN => 0x7FC00000u, _ => (uint)code << 23 });

    /// <summary>The code of the power of two nearest to a value, saturating.</summary>
    /// <param name="value">A positive value; infinity becomes 2^127, zero 2^-127.</param>
    /// <returns>The code, the even one for a value in the middle between two powers; 255 for a NaN or a negative value.</returns>
    public static byte FromSingle(float value)
    {
        if (!(value >= 0)) return NaN;
        uint bits = BitConverter.SingleToUInt32Bits(value) & 0x7FFFFFFF;
        // The first normal value, 2^-126, is code 1; the middle between codes 0 and 1 is 1.5 · 2^-127.
        if (bits < 0x00800000) return bits > 0x00600000 ? (byte)1 : (byte)0;
        return (byte)Math.Min(bits + 0x3FFFFF + (bits >> 23 & 1) >> 23, 254);
    }

    /// <summary>The code of the smallest power of two that is not below a value, saturating.</summary>
    /// <param name="value">A positive value; infinity becomes 2^127, zero 2^-127.</param>
    /// <returns>The code; 255 for a NaN or a negative value.</returns>
    public static byte FromSingleRoundedUp(float value)
    {
        if (!(value >= 0)) return NaN;
        uint bits = BitConverter.SingleToUInt32Bits(value) & 0x7FFFFFFF;
        if (bits < 0x00800000) return bits > 0x00400000 ? (byte)1 : (byte)0;
        return (byte)Math.Min(bits + 0x7FFFFF >> 23, 254);
    }

    /// <summary>The scale of a group of values quantised to E4M3: the smallest power of two that is not below max(<paramref name="maximum"/>, 1e-4)/448.</summary>
    /// <param name="maximum">The largest magnitude in the group.</param>
    /// <returns>The code; 255 for a maximum that is not finite.</returns>
    /// <remarks>Exact: the quotient is never rounded, so a maximum just above 448 · 2^n has the scale 2^(n+1).</remarks>
    public static byte ScaleFor(float maximum)
    {
        if (!float.IsFinite(maximum)) return NaN;
        // With a = (1 + f)·2^k and 448 = 1.75·2^8, a/448 = (1 + f)/1.75 · 2^(k-8), and (1 + f)/1.75 lies in (1/2, 1] up to f = 0.75, above 1 after it.
        uint bits = BitConverter.SingleToUInt32Bits(MathF.Max(maximum, SmallestMaximum));
        uint roundsUp = (bits & 0x7FFFFF) > 0x600000 ? 1u : 0u;
        return (byte)((bits >> 23) - 8 + roundsUp);
    }
}
