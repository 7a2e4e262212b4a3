using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Lanes;

/// <summary>Sixteen lanes in 1 register of 512 bits.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Lanes512>
{
    private readonly Vector512<float> _v;

    private Lanes512(Vector512<float> v)
    {
        _v = v;
    }

    public static bool IsHardwareAccelerated => Vector512.IsHardwareAccelerated;

    public static Lanes512 Zero => new(Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 value, float* destination)
    {
        value._v.Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBFloat16(ushort* source) => new(Widen(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 left, Lanes512 right) => new(left._v + right._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 left, Lanes512 right) => new(left._v - right._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 left, Lanes512 right) => new(left._v * right._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 left, Lanes512 right) => new(left._v / right._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FusedMultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 c) => new(Vector512.FusedMultiplyAdd(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 left, Lanes512 right) => new(Vector512.Max(left._v, right._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Min(Lanes512 left, Lanes512 right) => new(Vector512.Min(left._v, right._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sqrt(Lanes512 value) => new(Vector512.Sqrt(value._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Exp(Lanes512 x) => new(Exp(x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PowerOfTwo(Lanes512 x) => new(PowerOfTwo(x._v));

    // A bfloat16 is the upper half of a float.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(ushort* source) =>
        Vector512.ShiftLeft(Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe()), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        var clamped = Vector512.MaxNative(Vector512.MinNative(x, Vector512.Create(Exponential.Largest)), Vector512.Create(Exponential.Smallest));
        var n = Vector512.Round(clamped * Vector512.Create(Exponential.Log2E));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Exponential.Ln2High), clamped);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Exponential.Ln2Low), r);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(Exponential.C7), r, Vector512.Create(Exponential.C6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exponential.C5));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exponential.C4));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(Exponential.C3));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f));
        var value = p * Vector512.ShiftLeft(Vector512.ConvertToInt32Native(n) + Vector512.Create(127), 23).AsSingle();

        // The clamp hides what is too small, and NaN.
        value = Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(Exponential.Smallest)), value, Vector512<float>.Zero);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), value, x);
    }

    // The order of the operands matters: of a comparison with NaN the second is the result.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> PowerOfTwo(Vector512<float> x)
    {
        var clamped = Vector512.MaxNative(Vector512.Create(Exponential.SmallestPower), x);
        var shifted = clamped + Vector512.Create(Exponential.Rounder);
        var f = clamped - (shifted - Vector512.Create(Exponential.Rounder));
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(Exponential.P5), f, Vector512.Create(Exponential.P4));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Exponential.P3));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Exponential.P2));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(Exponential.P1));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1f));

        // The integer goes to the exponent.
        return (p.AsInt32() + Vector512.ShiftLeft(shifted.AsInt32(), 23)).AsSingle();
    }
}
