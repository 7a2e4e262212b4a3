using System.Diagnostics;
using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>What waiting costs a process that is one rank.</summary>
internal static class WaitCases
{
    public static void Quiet(ICollective group, IBackend backend)
    {
        group.Barrier();
        using var process = Process.GetCurrentProcess();
        TimeSpan used = process.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes(), start = Stopwatch.GetTimestamp();
        if (group.Rank == 0) Thread.Sleep(400);
        group.Barrier();
        long bytes = GC.GetTotalAllocatedBytes() - allocated;
        process.Refresh();
        double share = (process.TotalProcessorTime - used) / Stopwatch.GetElapsedTime(start);
        Console.WriteLine($"rank {group.Rank} used {100 * share:F0}% of a core and {bytes} bytes while it waited");
        if (share > 0.5) throw new ConformanceException($"A rank that waits takes {100 * share:F0}% of a core.");
        if (bytes > 100_000) throw new ConformanceException($"A rank that waits allocates {bytes} bytes.");
    }
}
