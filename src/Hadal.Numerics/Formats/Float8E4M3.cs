namespace Hadal.Numerics.Formats;

/// <summary>E4M3FN: 1 sign, 4 exponent (bias 7), 3 fraction bits, subnormals, no infinity; one NaN per sign (0x7F, 0xFF). The FP8 type of the report, section 3.3.</summary>
/// <remarks>Narrowing rounds to nearest, ties to even, and saturates: whatever lies beyond ±448, infinity included, becomes ±448.</remarks>
public static class Float8E4M3
{
    /// <summary>The largest finite value.</summary>
    public const float MaxValue = 448;

    private static readonly float[] _values = Float8.Table(ToSingleByDefinition);

    /// <summary>The value of a code, exact.</summary>
    /// <param name="code">Any of the 256 codes.</param>
    /// <returns>The FP32 value.</returns>
    public static float ToSingle(byte code) => _values[code];

    /// <summary>The code nearest to a value.</summary>
    /// <param name="value">Any FP32 value.</param>
    /// <returns>The code, ties to even, saturating at ±448; NaN becomes 0x7F or 0xFF by its sign, and -0 stays -0.</returns>
    public static byte FromSingle(float value) => Float8.Encode(value, fractionBits: 3, bias: 7, largest: 0x7E);

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

    // (-1)^s · 2^(e-7) · (1 + f/8), or (-1)^s · 2^-6 · f/8 for e = 0; e = 15 with f = 7 is NaN.
    private static float ToSingleByDefinition(int code) =>
        (code & 0x7F) == 0x7F ? Float8.SignedNaN(code) : Float8.Value(code, fractionBits: 3, bias: 7);
}
