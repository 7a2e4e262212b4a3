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
        long start = Stopwatch.GetTimestamp();
        double best = double.MaxValue;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            Gemm.Run(team, problem);
            best = Math.Min(best, Stopwatch.GetElapsedTime(before).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds);
        return 2.0 * cells * size / Math.Max(best, 1e-9) / 1e9;
    }
}
