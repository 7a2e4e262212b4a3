using System.Runtime.CompilerServices;

namespace Hadal.Numerics.Lanes;

/// <summary>Sixteen FP32 lanes, whatever the register width of the machine.</summary>
/// <remarks>
/// A kernel is written once, generically over its lanes, and the JIT makes one machine form per implementation: <see cref="Lanes512"/> is one register,
/// <see cref="Lanes256"/> two, <see cref="Lanes128"/> four. Since every form has sixteen lanes and the same order of operations, all give the same bits;
/// the order is part of each operation's contract.
/// </remarks>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Lanes in one value.</summary>
    const int Count = 16;

    static abstract bool IsHardwareAccelerated { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    static abstract void Store(TSelf value, float* destination);

    /// <summary>Sixteen bfloat16 codes widened to FP32 (exact).</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>a·b + c with one rounding.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Max(TSelf left, TSelf right);

    static abstract TSelf Min(TSelf left, TSelf right);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>e^x, error below 2 units in the last place for x in [-87.3, 88.0]; 0 below, 1.7e38 above; NaN stays NaN.</summary>
    /// <remarks>
    /// A primitive although it is made of others: written on registers it costs a kernel that inlines it nothing of the JIT's budget, and a kernel over the
    /// budget is an order of magnitude slower. See <see cref="Exponential"/> for the arithmetic.
    /// </remarks>
    static abstract TSelf Exp(TSelf x);

    /// <summary>2^x for x up to 1, error below 2 units in the last place; 2^-126 below -126. NaN stays NaN.</summary>
    /// <remarks>Of half the cost of <see cref="Exp"/>: for weights relative to the largest. See <see cref="Exponential"/> for the arithmetic.</remarks>
    static abstract TSelf PowerOfTwo(TSelf x);
}

/// <summary>Operations made of the primitive ones, in one fixed order.</summary>
internal static unsafe class LaneExtensions
{
    /// <summary>Sum over lanes as a binary tree: lane i with i+8, then i+4, i+2, i+1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum<T>(this T value) where T : struct, ILanes<T>
    {
        float* x = stackalloc float[16];
        T.Store(value, x);
        return FixedOrder.Sum(x);
    }

    /// <summary>Largest lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum<T>(this T value) where T : struct, ILanes<T>
    {
        float* x = stackalloc float[16];
        T.Store(value, x);
        float m = x[0];
        for (int i = 1; i < 16; i++) m = MathF.Max(m, x[i]);
        return m;
    }

    /// <summary>Loads the last <paramref name="count"/> (1..15) values of a row; the other lanes get <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LoadPart<T>(float* source, int count, float fill = 0) where T : struct, ILanes<T>
    {
        float* x = stackalloc float[16];
        for (int i = 0; i < 16; i++) x[i] = i < count ? source[i] : fill;
        return T.Load(x);
    }

    /// <summary>Stores the first <paramref name="count"/> (1..15) lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart<T>(T value, float* destination, int count) where T : struct, ILanes<T>
    {
        float* x = stackalloc float[16];
        T.Store(value, x);
        for (int i = 0; i < count; i++) destination[i] = x[i];
    }
}

/// <summary>Reductions in the order that is part of the operations' contracts.</summary>
internal static unsafe class FixedOrder
{
    /// <summary>Sum of sixteen partial sums: a binary tree, i with i+8, i+4, i+2, i+1.</summary>
    public static float Sum(float* x)
    {
        float a0 = x[0] + x[8], a1 = x[1] + x[9], a2 = x[2] + x[10], a3 = x[3] + x[11];
        float a4 = x[4] + x[12], a5 = x[5] + x[13], a6 = x[6] + x[14], a7 = x[7] + x[15];
        a0 += a4;
        a1 += a5;
        a2 += a6;
        a3 += a7;
        a0 += a2;
        a1 += a3;
        return a0 + a1;
    }
}
