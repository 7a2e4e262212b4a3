using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Measurement;

/// <summary>Independent chains of fused multiply-adds that never leave the registers: more chains than the units' latency can delay.</summary>
internal readonly struct ChainJob<V> : IRacer
    where V : struct, ILanes<V>
{
    private const int StepsPerIteration = 1000;

    // In registers: twelve of 512 or 256 bits; of 128 bits twelve, or twenty-four where there are thirty-two.
    private static int Chains => typeof(V) == typeof(Lanes512) ? 12 : typeof(V) == typeof(Lanes256) || AdvSimd.IsSupported ? 6 : 3;

    public double Run(int thread, int iterations)
    {
        double sum = 0;
        for (int i = 0; i < iterations; i++) sum += Run();
        // The sum keeps the work from being optimised away; its value is known.
        return sum > 0 ? (double)iterations * StepsPerIteration * Chains * 16 * 2 : 0;
    }

    // x = x/2 + 1/4 has the fixed point 1/2, so values stay ordinary however long the chain is.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run()
    {
        V half = V.Broadcast(0.5f), quarter = V.Broadcast(0.25f);
        V a = half, b = half, c = half, d = half, e = half, f = half, g = half, h = half, i = half, j = half, k = half, l = half;
        for (int step = 0; step < StepsPerIteration; step++)
        {
            a = V.FusedMultiplyAdd(a, half, quarter);
            b = V.FusedMultiplyAdd(b, half, quarter);
            c = V.FusedMultiplyAdd(c, half, quarter);
            if (Chains == 3) continue;
            d = V.FusedMultiplyAdd(d, half, quarter);
            e = V.FusedMultiplyAdd(e, half, quarter);
            f = V.FusedMultiplyAdd(f, half, quarter);
            if (Chains == 6) continue;
            g = V.FusedMultiplyAdd(g, half, quarter);
            h = V.FusedMultiplyAdd(h, half, quarter);
            i = V.FusedMultiplyAdd(i, half, quarter);
            j = V.FusedMultiplyAdd(j, half, quarter);
            k = V.FusedMultiplyAdd(k, half, quarter);
            l = V.FusedMultiplyAdd(l, half, quarter);
        }

        return (a + b + c + d + e + f + (g + h + i + j + k + l)).Sum();
    }
}

/// <summary>Dot products of four pairs of bytes added to 32-bit sums: AVX-VNNI's 256-bit form, or Arm's.</summary>
internal readonly struct IntegerDotJob : IRacer
{
    private const int StepsPerIteration = 1000;
    private const int Chains = 12;

    public static bool IsSupported => AvxVnni.IsSupported || Dp.IsSupported;

    public double Run(int thread, int iterations)
    {
        long sum = 0;
        for (int i = 0; i < iterations; i++) sum += AvxVnni.IsSupported ? RunX86() : RunArm();
        int bytes = AvxVnni.IsSupported ? Vector256<byte>.Count : Vector128<byte>.Count;
        return sum != 0 ? (double)iterations * StepsPerIteration * Chains * bytes * 2 : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int RunX86()
    {
        Vector256<byte> x = Vector256<byte>.One;
        Vector256<sbyte> y = Vector256<sbyte>.One;
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default;
        Vector256<int> g = default, h = default, i = default, j = default, k = default, l = default;
        for (int step = 0; step < StepsPerIteration; step++)
        {
            a = AvxVnni.MultiplyWideningAndAdd(a, x, y);
            b = AvxVnni.MultiplyWideningAndAdd(b, x, y);
            c = AvxVnni.MultiplyWideningAndAdd(c, x, y);
            d = AvxVnni.MultiplyWideningAndAdd(d, x, y);
            e = AvxVnni.MultiplyWideningAndAdd(e, x, y);
            f = AvxVnni.MultiplyWideningAndAdd(f, x, y);
            g = AvxVnni.MultiplyWideningAndAdd(g, x, y);
            h = AvxVnni.MultiplyWideningAndAdd(h, x, y);
            i = AvxVnni.MultiplyWideningAndAdd(i, x, y);
            j = AvxVnni.MultiplyWideningAndAdd(j, x, y);
            k = AvxVnni.MultiplyWideningAndAdd(k, x, y);
            l = AvxVnni.MultiplyWideningAndAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int RunArm()
    {
        Vector128<sbyte> x = Vector128<sbyte>.One;
        Vector128<int> a = default, b = default, c = default, d = default, e = default, f = default;
        Vector128<int> g = default, h = default, i = default, j = default, k = default, l = default;
        for (int step = 0; step < StepsPerIteration; step++)
        {
            a = Dp.DotProduct(a, x, x);
            b = Dp.DotProduct(b, x, x);
            c = Dp.DotProduct(c, x, x);
            d = Dp.DotProduct(d, x, x);
            e = Dp.DotProduct(e, x, x);
            f = Dp.DotProduct(f, x, x);
            g = Dp.DotProduct(g, x, x);
            h = Dp.DotProduct(h, x, x);
            i = Dp.DotProduct(i, x, x);
            j = Dp.DotProduct(j, x, x);
            k = Dp.DotProduct(k, x, x);
            l = Dp.DotProduct(l, x, x);
        }

        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}

/// <summary>Which bytes each thread reads.</summary>
internal unsafe struct ReadJob
{
    /// <summary>A thread's share is a multiple of this.</summary>
    public const int Granularity = 4 * 256;

    public byte* Buffer;
    public long BytesPerThread;
}

/// <summary>A sum over memory, in four streams a thread, as many as prefetchers follow without trouble.</summary>
internal unsafe struct ReadJob<V> : IRacer
    where V : struct, ILanes<V>
{
    public ReadJob Range;

    public readonly double Run(int thread, int iterations)
    {
        float sum = 0;
        for (int i = 0; i < iterations; i++) sum += Sum((float*)(Range.Buffer + thread * Range.BytesPerThread), Range.BytesPerThread / sizeof(float));
        // The buffer holds zeros.
        return sum == 0 ? (double)iterations * Range.BytesPerThread : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* source, long count)
    {
        nint stream = (nint)(count / 4);
        V a = V.Zero, b = V.Zero, c = V.Zero, d = V.Zero;
        for (nint i = 0; i < stream; i += 16)
        {
            a += V.Load(source + i);
            b += V.Load(source + i + stream);
            c += V.Load(source + i + 2 * stream);
            d += V.Load(source + i + 3 * stream);
        }

        return (a + b + (c + d)).Sum();
    }
}
