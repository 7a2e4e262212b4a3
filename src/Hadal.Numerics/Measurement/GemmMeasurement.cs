using System.Diagnostics;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Measurement;

/// <summary>Measures Hadal's own matrix product, to compare with the limit that <see cref="PeakMeasurement"/> finds.</summary>
public static unsafe class GemmMeasurement
{
    /// <summary>FP32 product of two square matrices with the kernel form in use.</summary>
    /// <param name="threads">Threads that work together, at least 1.</param>
    /// <param name="size">Rows and columns of each matrix, 1 … 16384.</param>
    /// <param name="seconds">About how long to measure.</param>
    /// <param name="cancellation">Stops between two products.</param>
    /// <returns>10⁹ operations per second (a multiply-add counts as two), the best of all products in the time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static double MeasureGflops(int threads, int size = 1024, double seconds = 0.5, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, 16384);
        using var team = new ThreadTeam(threads);
        long cells = (long)size * size;
        using var memory = new NativeStorage(3 * cells * sizeof(float));
        var a = (float*)memory.Pointer;
        for (long i = 0; i < 2 * cells; i++) a[i] = (i % 17 - 8) / 16f;
        var problem = new GemmProblem { A = a, Lda = size, B = a + cells, Ldb = size, C = a + 2 * cells, Ldc = size, M = size, N = size, K = size };
        double best = Best(() => Gemm.Run(team, problem), seconds, cancellation);
        return 2.0 * cells * size / best / 1e9;
    }

    /// <summary>bfloat16 product of two square matrices that are coded already, with the kernel form in use.</summary>
    /// <param name="threads">Threads that work together, at least 1.</param>
    /// <param name="size">Rows and columns of each matrix, 1 … 16384.</param>
    /// <param name="seconds">About how long to measure.</param>
    /// <param name="cancellation">Stops between two products.</param>
    /// <returns>10⁹ operations per second (a multiply-add counts as two), the best of all products in the time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static double MeasureBf16Gflops(int threads, int size = 1024, double seconds = 0.5, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, 16384);
        using var team = new ThreadTeam(threads);
        var layout = new CodedLayout(PanelFormat.BFloat16, size);
        nint left = layout.Bytes(size), right = (nint)PanelMatrix.BytesFor(PanelFormat.BFloat16, size, size);
        using var memory = new NativeStorage(left + right + (long)size * size * sizeof(float));
        // Codes of small numbers of either sign; what they are changes no time.
        for (nint i = 0; i < (left + right) / 2; i++) ((ushort*)memory.Pointer)[i] = (ushort)(0x3C00 + i % 17 * 8 + (i % 3 == 0 ? 0x8000 : 0));
        var c = (float*)(memory.Pointer + left + right);
        var problem = PanelProblem.Of(PanelFormat.BFloat16, memory.Pointer + left, size, size, layout.At(memory.Pointer, size), 0, size, c, size, false);
        double best = Best(() =>
        {
            var local = problem;
            PanelGemm.Run(team, &local, 1, KernelForms.Current);
        }, seconds, cancellation);
        return 2.0 * size * size * size / best / 1e9;
    }

    private static double Best(Action product, double seconds, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        double best = double.MaxValue;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            product();
            best = Math.Min(best, Stopwatch.GetElapsedTime(before).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds);
        return Math.Max(best, 1e-9);
    }
}
