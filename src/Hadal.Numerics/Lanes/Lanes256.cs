using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Lanes;

/// <summary>Sixteen lanes in 2 registers of 256 bits.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Lanes256>
{
    private readonly Vector256<float> _a;
    private readonly Vector256<float> _b;

    private Lanes256(Vector256<float> a, Vector256<float> b)
    {
        _a = a;
        _b = b;
    }

    public static bool IsHardwareAccelerated => Vector256.IsHardwareAccelerated;

    public static Lanes256 Zero => new(Vector256<float>.Zero, Vector256<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value)
    {
        var v = Vector256.Create(value);
        return new(v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source), Vector256.Load(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, float* destination)
    {
        value._a.Store(destination);
        value._b.Store(destination + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(ushort* source) => new(Widen(source), Widen(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 left, Lanes256 right) => new(left._a + right._a, left._b + right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 left, Lanes256 right) => new(left._a - right._a, left._b - right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 left, Lanes256 right) => new(left._a * right._a, left._b * right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 left, Lanes256 right) => new(left._a / right._a, left._b / right._b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FusedMultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 c) => new(Vector256.FusedMultiplyAdd(a._a, b._a, c._a), Vector256.FusedMultiplyAdd(a._b, b._b, c._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 left, Lanes256 right) => new(Vector256.Max(left._a, right._a), Vector256.Max(left._b, right._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Min(Lanes256 left, Lanes256 right) => new(Vector256.Min(left._a, right._a), Vector256.Min(left._b, right._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sqrt(Lanes256 value) => new(Vector256.Sqrt(value._a), Vector256.Sqrt(value._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Exp(Lanes256 x) => new(Exp(x._a), Exp(x._b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 x) => new(PowerOfTwo(x._a), PowerOfTwo(x._b));

    // A bfloat16 is the upper half of a float.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(ushort* source) =>
        Vector256.ShiftLeft(Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp(Vector256<float> x)
    {
        var clamped = Vector256.MaxNative(Vector256.MinNative(x, Vector256.Create(Exponential.Largest)), Vector256.Create(Exponential.Smallest));
        var n = Vector256.Round(clamped * Vector256.Create(Exponential.Log2E));
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Exponential.Ln2High), clamped);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Exponential.Ln2Low), r);
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(Exponential.C7), r, Vector256.Create(Exponential.C6));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Exponential.C5));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Exponential.C4));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(Exponential.C3));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(0.5f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f));
        var value = p * Vector256.ShiftLeft(Vector256.ConvertToInt32Native(n) + Vector256.Create(127), 23).AsSingle();

        // The clamp hides what is too small, and NaN.
        value = Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(Exponential.Smallest)), value, Vector256<float>.Zero);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), value, x);
    }

    // The order of the operands matters: of a comparison with NaN the second is the result.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowerOfTwo(Vector256<float> x)
    {
        var clamped = Vector256.MaxNative(Vector256.Create(Exponential.SmallestPower), x);
        var shifted = clamped + Vector256.Create(Exponential.Rounder);
        var f = clamped - (shifted - Vector256.Create(Exponential.Rounder));
        var p = Vector256.FusedMultiplyAdd(Vector256.Create(Exponential.P5), f, Vector256.Create(Exponential.P4));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(Exponential.P3));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(Exponential.P2));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(Exponential.P1));
        p = Vector256.FusedMultiplyAdd(p, f, Vector256.Create(1f));

        // The integer goes to the exponent.
        return (p.AsInt32() + Vector256.ShiftLeft(shifted.AsInt32(), 23)).AsSingle();
    }
}
