using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Lanes;

/// <summary>Sixteen lanes in 4 registers of 128 bits.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Lanes128>
{
    private readonly Vector128<float> _a;
    private readonly Vector128<float> _b;
    private readonly Vector128<float> _c;
    private readonly Vector128<float> _d;

    private Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    public static bool IsHardwareAccelerated => Vector128.IsHardwareAccelerated;

    public static Lanes128 Zero => new(Vector128<float>.Zero, Vector128<float>.Zero, Vector128<float>.Zero, Vector128<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value)
    {
        var v = Vector128.Create(value);
        return new(v, v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) => new(Vector128.Load(source), Vector128.Load(source + 4), Vector128.Load(source + 8), Vector128.Load(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, float* destination)
    {
        value._a.Store(destination);
        value._b.Store(destination + 4);
        value._c.Store(destination + 8);
        value._d.Store(destination + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBFloat16(ushort* source) => new(Widen(source), Widen(source + 4), Widen(source + 8), Widen(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 left, Lanes128 right) => new(left._a + right._a, left._b + right._b, left._c + right._c, left._d + right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 left, Lanes128 right) => new(left._a - right._a, left._b - right._b, left._c - right._c, left._d - right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 left, Lanes128 right) => new(left._a * right._a, left._b * right._b, left._c * right._c, left._d * right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 left, Lanes128 right) => new(left._a / right._a, left._b / right._b, left._c / right._c, left._d / right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FusedMultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) => new(Vector128.FusedMultiplyAdd(a._a, b._a, c._a), Vector128.FusedMultiplyAdd(a._b, b._b, c._b), Vector128.FusedMultiplyAdd(a._c, b._c, c._c), Vector128.FusedMultiplyAdd(a._d, b._d, c._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 left, Lanes128 right) => new(Vector128.Max(left._a, right._a), Vector128.Max(left._b, right._b), Vector128.Max(left._c, right._c), Vector128.Max(left._d, right._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Min(Lanes128 left, Lanes128 right) => new(Vector128.Min(left._a, right._a), Vector128.Min(left._b, right._b), Vector128.Min(left._c, right._c), Vector128.Min(left._d, right._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sqrt(Lanes128 value) => new(Vector128.Sqrt(value._a), Vector128.Sqrt(value._b), Vector128.Sqrt(value._c), Vector128.Sqrt(value._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Exp(Lanes128 x) => new(Exp(x._a), Exp(x._b), Exp(x._c), Exp(x._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 x) => new(PowerOfTwo(x._a), PowerOfTwo(x._b), PowerOfTwo(x._c), PowerOfTwo(x._d));

    // A bfloat16 is the upper half of a float.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Widen(ushort* source) =>
        Vector128.ShiftLeft(Vector128.WidenLower(Vector64.Load(source).ToVector128Unsafe()), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Exp(Vector128<float> x)
    {
        var clamped = Vector128.MaxNative(Vector128.MinNative(x, Vector128.Create(Exponential.Largest)), Vector128.Create(Exponential.Smallest));
        var n = Vector128.Round(clamped * Vector128.Create(Exponential.Log2E));
        var r = Vector128.FusedMultiplyAdd(n, Vector128.Create(-Exponential.Ln2High), clamped);
        r = Vector128.FusedMultiplyAdd(n, Vector128.Create(-Exponential.Ln2Low), r);
        var p = Vector128.FusedMultiplyAdd(Vector128.Create(Exponential.C7), r, Vector128.Create(Exponential.C6));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(Exponential.C5));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(Exponential.C4));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(Exponential.C3));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(0.5f));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(1f));
        p = Vector128.FusedMultiplyAdd(p, r, Vector128.Create(1f));
        var value = p * Vector128.ShiftLeft(Vector128.ConvertToInt32Native(n) + Vector128.Create(127), 23).AsSingle();

        // The clamp hides what is too small, and NaN.
        value = Vector128.ConditionalSelect(Vector128.GreaterThan(x, Vector128.Create(Exponential.Smallest)), value, Vector128<float>.Zero);
        return Vector128.ConditionalSelect(Vector128.Equals(x, x), value, x);
    }

    // The order of the operands matters: of a comparison with NaN the second is the result.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfTwo(Vector128<float> x)
    {
        var clamped = Vector128.MaxNative(Vector128.Create(Exponential.SmallestPower), x);
        var shifted = clamped + Vector128.Create(Exponential.Rounder);
        var f = clamped - (shifted - Vector128.Create(Exponential.Rounder));
        var p = Vector128.FusedMultiplyAdd(Vector128.Create(Exponential.P5), f, Vector128.Create(Exponential.P4));
        p = Vector128.FusedMultiplyAdd(p, f, Vector128.Create(Exponential.P3));
        p = Vector128.FusedMultiplyAdd(p, f, Vector128.Create(Exponential.P2));
        p = Vector128.FusedMultiplyAdd(p, f, Vector128.Create(Exponential.P1));
        p = Vector128.FusedMultiplyAdd(p, f, Vector128.Create(1f));

        // The integer goes to the exponent.
        return (p.AsInt32() + Vector128.ShiftLeft(shifted.AsInt32(), 23)).AsSingle();
    }
}
