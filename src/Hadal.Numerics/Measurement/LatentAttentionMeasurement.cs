using System.Diagnostics;

namespace Hadal.Numerics.Measurement;

/// <summary>Measures absorbed attention on a latent cache: one row, as in decoding.</summary>
public static class LatentAttentionMeasurement
{
    // So many caches take turns, as layers do: the cache comes from memory, not from the processor's caches.
    private const int Layers = 16;
    private const int PageTokens = 64;

    /// <summary>Attends with one row again and again, with DeepSeek-V3's latent of 512 and rope key of 64.</summary>
    /// <param name="threads">Threads that work together, at least 1.</param>
    /// <param name="heads">Query heads, at least 1.</param>
    /// <param name="depth">Tokens in the cache, at least 1.</param>
    /// <param name="type">F32, BF16 or F8E4M3: the type of the cache.</param>
    /// <param name="seconds">About how long to measure.</param>
    /// <param name="cancellation">Stops between two calls.</param>
    /// <returns>What was reached in the fastest call: on a machine that others use too, the one that says what the kernels can do.</returns>
    /// <exception cref="ArgumentException">A parameter is out of its range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static LatentAttentionResult Measure(int threads, int heads, int depth, DType type, double seconds = 0.5, CancellationToken cancellation = default)
    {
        const int rank = 512, rope = 64;
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        using var backend = new CpuBackend(threads);
        using var arena = new Arena(backend);
        int pages = (depth - 1) / PageTokens + 1;
        var latents = Filled(backend, arena, PageTokens, rank + rope);
        var caches = new Tensor[Layers];
        for (int l = 0; l < Layers; l++)
        {
            caches[l] = arena.Allocate(type, new Shape((long)pages * PageTokens, LatentFormat.Columns(type, rank, rope)));
            for (int p = 0; p < pages; p++) backend.WriteLatents(latents, rank, caches[l].RowRange((long)p * PageTokens, PageTokens));
        }

        Tensor q = Filled(backend, arena, 1, (long)heads * rank), qRope = Filled(backend, arena, heads, rope), o = arena.Matrix(1, (long)heads * rank);
        Tensor tables = arena.Allocate(DType.I32, new Shape(1, pages)), sequences = arena.Allocate(DType.I32, new Shape(1)), lengths = arena.Allocate(DType.I32, new Shape(1));
        backend.Write([.. Enumerable.Range(0, pages)], tables);
        backend.Write([0], sequences);
        backend.Write([depth], lengths);
        double best = double.MaxValue;
        long start = Stopwatch.GetTimestamp();
        for (int call = 0; call < 3 * Layers || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; call++)
        {
            cancellation.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            backend.LatentAttention(q, qRope, caches[call % Layers], PageTokens, tables, sequences, lengths, heads, 0.07f, o);
            best = Math.Min(best, Stopwatch.GetElapsedTime(before).TotalSeconds);
        }

        double operations = 2.0 * depth * heads * (2 * rank + rope), bytes = (double)depth * LatentFormat.Columns(type, rank, rope) * type.SizeOf();
        return new LatentAttentionResult(best, operations / best / 1e9, bytes / best / 1e9);
    }

    private static Tensor Filled(CpuBackend backend, Arena arena, long rows, long columns)
    {
        var values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++) values[i] = (i * 37 % 101 - 50) / 50f;
        var tensor = arena.Matrix(rows, columns);
        backend.Write(values, tensor);
        return tensor;
    }
}
