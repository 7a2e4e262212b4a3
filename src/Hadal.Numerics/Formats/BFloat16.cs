using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Formats;

/// <summary>bfloat16: 1 sign, 8 exponent, 7 fraction bits; the upper half of an FP32 value, with infinities, NaN and subnormals.</summary>
/// <remarks>Codes are <see cref="ushort"/>. Widening is exact; narrowing rounds to nearest, ties to even, and overflows to infinity as IEEE 754 says.</remarks>
public static unsafe class BFloat16
{
    /// <summary>The value of a code, exact.</summary>
    /// <param name="code">Any of the 65,536 codes.</param>
    /// <returns>The FP32 value; NaN keeps its sign and payload.</returns>
    public static float ToSingle(ushort code) => BitConverter.UInt32BitsToSingle((uint)code << 16);

    /// <summary>The code nearest to a value.</summary>
    /// <param name="value">Any FP32 value.</param>
    /// <returns>The code, ties to even; a NaN stays a (quiet) NaN of the same sign.</returns>
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        // Adding half a unit less one, plus the lowest kept bit, carries into the kept bits exactly when rounding to nearest even goes up.
        return float.IsNaN(value) ? (ushort)(bits >> 16 | 0x40) : (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// <summary>Widens codes, exact.</summary>
    /// <param name="source">Codes.</param>
    /// <param name="destination">Receives as many values; must not overlap <paramref name="source"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        Float8.ThrowIfShorter(source.Length, destination.Length);
        fixed (ushort* s = source)
        fixed (float* d = destination) Widen(s, d, source.Length);
    }

    /// <summary>Narrows values to the nearest codes, ties to even.</summary>
    /// <param name="source">Values.</param>
    /// <param name="destination">Receives as many codes; must not overlap <paramref name="source"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void FromSingle(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        Float8.ThrowIfShorter(source.Length, destination.Length);
        fixed (float* s = source)
        fixed (ushort* d = destination) Narrow(s, d, source.Length);
    }

    internal static void Widen(ushort* source, float* destination, nint count)
    {
        nint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 16; i += 16)
                Vector512.ShiftLeft(Vector512.WidenLower(Vector256.Load(source + i).ToVector512Unsafe()), 16).AsSingle().Store(destination + i);
        }

        for (; i <= count - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(source + i));
            Vector128.ShiftLeft(low, 16).AsSingle().Store(destination + i);
            Vector128.ShiftLeft(high, 16).AsSingle().Store(destination + i + 4);
        }

        for (; i < count; i++) destination[i] = ToSingle(source[i]);
    }

    internal static void Narrow(float* source, ushort* destination, nint count)
    {
        nint i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 32; i += 32)
                Vector512.Narrow(Rounded(Vector512.Load(source + i)), Rounded(Vector512.Load(source + i + 16))).Store(destination + i);
        }

        for (; i <= count - 8; i += 8)
            Vector128.Narrow(Rounded(Vector128.Load(source + i)), Rounded(Vector128.Load(source + i + 4))).Store(destination + i);
        for (; i < count; i++) destination[i] = FromSingle(source[i]);
    }

    /// <summary>The nearest code in the lower half of each lane.</summary>
    internal static Vector512<uint> Rounded(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var upper = Vector512.ShiftRightLogical(bits, 16);
        var nearest = Vector512.ShiftRightLogical(bits + Vector512.Create(0x7FFFu) + (upper & Vector512<uint>.One), 16);
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), nearest, upper | Vector512.Create(0x40u));
    }

    private static Vector128<uint> Rounded(Vector128<float> value)
    {
        var bits = value.AsUInt32();
        var upper = Vector128.ShiftRightLogical(bits, 16);
        var nearest = Vector128.ShiftRightLogical(bits + Vector128.Create(0x7FFFu) + (upper & Vector128<uint>.One), 16);
        return Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), nearest, upper | Vector128.Create(0x40u));
    }
}
