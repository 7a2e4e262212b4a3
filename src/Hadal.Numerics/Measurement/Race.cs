using System.Diagnostics;
using System.Runtime.InteropServices;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Measurement;

/// <summary>Work whose rate is measured. Implemented by unmanaged structs.</summary>
internal interface IRacer
{
    /// <summary>Works for a while.</summary>
    /// <param name="thread">Which of the threads, 0 …</param>
    /// <param name="iterations">How long, in steps of the racer's own choice.</param>
    /// <returns>Operations, or bytes, done.</returns>
    double Run(int thread, int iterations);
}

/// <summary>Runs the same work on all threads at once, from a common start, and keeps the best rate of several runs.</summary>
internal sealed unsafe class Race : IDisposable
{
    private readonly ThreadTeam _team;
    private readonly int _repetitions;
    private readonly CancellationToken _cancellation;
    private Lane* _lanes;

    public Race(ThreadTeam team, int repetitions, CancellationToken cancellation)
    {
        (_team, _repetitions, _cancellation) = (team, repetitions, cancellation);
        _lanes = (Lane*)NativeMemory.AlignedAlloc((nuint)(sizeof(Lane) * (team.Threads + 1)), 64);
    }

    /// <summary>Operations per second: the best of several runs, with as many iterations as take the given time.</summary>
    public double BestRate<T>(T racer, double seconds) where T : unmanaged, IRacer
    {
        // The first run compiles; its time would make the work look long enough already.
        Once(racer, 1);
        int iterations = 1;
        while (iterations < 1 << 28 && Once(racer, iterations).Shortest < seconds / 4) iterations *= 4;
        double best = 0;
        for (int i = 0; i < _repetitions; i++) best = Math.Max(best, Rate(racer, iterations));
        return best;
    }

    /// <summary>Operations per second in one run.</summary>
    public double Rate<T>(T racer, int iterations) where T : unmanaged, IRacer
    {
        var run = Once(racer, iterations);
        return run.Operations / run.Seconds;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_lanes);
        _lanes = null;
    }

    private (double Operations, double Seconds, double Shortest) Once<T>(T racer, int iterations) where T : unmanaged, IRacer
    {
        _cancellation.ThrowIfCancellationRequested();
        int threads = _team.Threads;
        var job = new Job<T> { Racer = racer, Iterations = iterations, Threads = threads, Lanes = _lanes };
        // The last lane counts arrivals at the start.
        _lanes[threads].Arrivals = 0;
        _team.Run(threads, ref job);
        double operations = 0;
        long start = long.MaxValue, end = 0, shortest = long.MaxValue;
        for (int i = 0; i < threads; i++)
        {
            operations += _lanes[i].Operations;
            start = Math.Min(start, _lanes[i].Start);
            end = Math.Max(end, _lanes[i].End);
            // A thread that had to wait for a processor says nothing about how long the work takes; the fastest one does.
            shortest = Math.Min(shortest, _lanes[i].End - _lanes[i].Start);
        }

        double frequency = Stopwatch.Frequency;
        return (operations, Math.Max(1, end - start) / frequency, shortest / frequency);
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Lane
    {
        public long Start;
        public long End;
        public double Operations;
        public int Arrivals;
    }

    private struct Job<T> : ITeamJob
        where T : unmanaged, IRacer
    {
        public T Racer;
        public int Iterations;
        public int Threads;
        public Lane* Lanes;

        public readonly void Execute(int item, int worker)
        {
            // There are as many items as threads and none ends before all have begun, so each thread gets exactly one.
            Interlocked.Increment(ref Lanes[Threads].Arrivals);
            while (Volatile.Read(ref Lanes[Threads].Arrivals) < Threads) Thread.Yield();
            Lanes[item].Start = Stopwatch.GetTimestamp();
            Lanes[item].Operations = Racer.Run(item, Iterations);
            Lanes[item].End = Stopwatch.GetTimestamp();
        }
    }
}
