using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>The logistic function, on lanes and as the formula has it.</summary>
internal static class LaneMath
{
    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x) where T : struct, ILanes<T> => T.Broadcast(1f) / (T.Broadcast(1f) + T.Exp(T.Zero - x));

    /// <summary>1 / (1 + e^-x).</summary>
    public static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));
}
