namespace Hadal.Numerics.Formats;

/// <summary>E5M2: 1 sign, 5 exponent (bias 15), 2 fraction bits, subnormals, infinities and NaN as in IEEE 754.</summary>
/// <remarks>Narrowing rounds to nearest, ties to even, and saturates: whatever lies beyond ±57344, infinity included, becomes ±57344.</remarks>
public static class Float8E5M2
{
    /// <summary>The largest finite value.</summary>
    public const float MaxValue = 57344;

    private static readonly float[] _values = Float8.Table(ToSingleByDefinition);

    /// <summary>The value of a code, exact.</summary>
    /// <param name="code">Any of the 256 codes.</param>
    /// <returns>The FP32 value.</returns>
    public static float ToSingle(byte code) => _values[code];

    /// <summary>The code nearest to a value.</summary>
    /// <param name="value">Any FP32 value.</param>
    /// <returns>The code, ties to even, saturating at ±57344; NaN becomes 0x7F or 0xFF by its sign, and -0 stays -0.</returns>
    public static byte FromSingle(float value) => Float8.Encode(value, fractionBits: 2, bias: 15, largest: 0x7B);

    /// <summary>Widens codes, exact.</summary>
    /// <param name="source">Codes.</param>
    /// <param name="destination">Receives as many values.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void ToSingle(ReadOnlySpan<byte> source, Span<float> destination) => Float8.Decode(source, destination, _values);

    /// <summary>Narrows values to the nearest codes, ties to even, saturating.</summary>
    /// <param name="source">Values.</param>
    /// <param name="destination">Receives as many codes.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void FromSingle(ReadOnlySpan<float> source, Span<byte> destination)
    {
        Float8.ThrowIfShorter(source.Length, destination.Length);
        for (int i = 0; i < source.Length; i++) destination[i] = FromSingle(source[i]);
    }

    // (-1)^s · 2^(e-15) · (1 + f/4), or (-1)^s · 2^-14 · f/4 for e = 0; e = 31 is infinity (f = 0) or NaN.
    private static float ToSingleByDefinition(int code) => (code & 0x7F) switch
    {
        0x7C => code < 0x80 ? float.PositiveInfinity : float.NegativeInfinity,
        > 0x7C => Float8.SignedNaN(code),
        _ => Float8.Value(code, fractionBits: 2, bias: 15),
    };
}
