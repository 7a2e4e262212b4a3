using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Elementary functions on lanes. The same polynomial in every width, so the bits do not depend on the machine.</summary>
internal static class LaneMath
{
    // e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2. ln 2 is split so that n·High is exact; e^r by its Taylor polynomial of degree 7,
    // whose remainder r^8/8! is below 5.2e-9 on this interval, under half a unit in the last place of FP32.
    private const float Log2E = 1.44269504088896341f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;
    private const float Largest = 88.0296919311f;
    private const float Smallest = -87.3365447505531f;

    /// <summary>e^x, error below 2 units in the last place for x in [-87.3, 88.0]; 0 below, 1.7e38 above; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, ILanes<T>
    {
        var clamped = T.Max(T.Min(x, T.Broadcast(Largest)), T.Broadcast(Smallest));
        var n = T.Round(clamped * T.Broadcast(Log2E));
        var r = T.FusedMultiplyAdd(n, T.Broadcast(-Ln2High), clamped);
        r = T.FusedMultiplyAdd(n, T.Broadcast(-Ln2Low), r);
        var p = T.Broadcast(1f / 5040);
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f / 720));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f / 120));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f / 24));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f / 6));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(0.5f));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f));
        p = T.FusedMultiplyAdd(p, r, T.Broadcast(1f));
        var value = T.ScaleByPowerOfTwo(p, n);
        return T.SelectGreaterOrEqual(T.Broadcast(Smallest), x, T.Zero, value);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x) where T : struct, ILanes<T> => T.Broadcast(1f) / (T.Broadcast(1f) + Exp(T.Zero - x));

    /// <summary>Scalar 1 / (1 + e^-x), as the formula has it.</summary>
    public static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));
}
