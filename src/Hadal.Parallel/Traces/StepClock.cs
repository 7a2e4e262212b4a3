using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Traces;

/// <summary>Finds the moment on each rank's clock that is the same moment on all.</summary>
/// <remarks>
/// The clocks of one machine are one clock, also across processes. Between machines they have nothing in common, and ranks take the end of a barrier, which all leave at nearly the same time: of several
/// the one that took its slowest rank the least. The ranks' times then agree to about the time of a barrier.
/// </remarks>
internal static class StepClock
{
    private const int Barriers = 8;

    /// <summary>The common moment by this rank's <see cref="Stopwatch"/>. Called by all ranks together.</summary>
    public static long Meet(ICollective world, IBackend backend)
    {
        var reading = new long[1 + 2 * Barriers];
        reading[0] = MemoryMarshal.Read<long>(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)));
        for (int b = 0; b < Barriers; b++)
        {
            long started = Stopwatch.GetTimestamp();
            world.Barrier();
            reading[2 + 2 * b] = Stopwatch.GetTimestamp();
            reading[1 + 2 * b] = reading[2 + 2 * b] - started;
        }

        return Zeros([.. world.AllGather<long>(backend, reading).Chunk(reading.Length)])[world.Rank];
    }

    /// <summary>The common moment by each rank's clock.</summary>
    /// <param name="readings">Of each rank: its machine, and of each barrier how long it took and when it ended.</param>
    public static long[] Zeros(long[][] readings)
    {
        int barriers = (readings[0].Length - 1) / 2;
        if (readings.All(r => r[0] == readings[0][0]))
        {
            long first = readings.Min(r => r[2 * barriers]);
            return [.. readings.Select(_ => first)];
        }

        int best = Enumerable.Range(0, barriers).MinBy(b => readings.Max(r => r[1 + 2 * b]));
        return [.. readings.Select(r => r[2 + 2 * best])];
    }
}
