using System.Globalization;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Communication.Mpi;
using Hadal.Parallel.Worker.Conformance;

namespace Hadal.Parallel.Worker;

/// <summary>What a rank does that a test has started under mpirun. A promise that is not kept ends the job, with a line on standard error that names the rank.</summary>
internal static class RankProgram
{
    private const string Usage = "Hadal.Parallel.Worker conformance [LARGEST-COUNT] | disagree CASE | fail WAY | large | measure [THREADS]";

    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["conformance", .. var largest]:
                if (largest is [var count]) MpiCount.Largest = long.Parse(count, CultureInfo.InvariantCulture);
                MpiWorld.Run(world => TryAll(world, [.. CollectiveConformance.Cases, new("who waits neither takes a core nor allocates", WaitCases.Quiet)]));
                return 0;
            case ["disagree", var name]:
                // Afterwards the group is of no use, and the sender may wait for ever: the first rank that has heard ends the job, since it does not finish its world.
                using (var world = MpiWorld.Start())
                {
                    TryAll(world, [CollectiveConformance.EndingCases.Single(c => c.Name == name)]);
                    if (world.Group.Rank < world.Group.Size - 1) Thread.Sleep(Timeout.Infinite);
                }

                return 0;
            case ["fail", var way]:
                MpiWorld.Run(world => Failures.Run(world, way));
                return 0;
            case ["large"]:
                MpiWorld.Run(world => TryAll(world, [new("a message and parts of more than 2 GiB", LargeCases.Move)]));
                return 0;
            case ["measure"]:
                MpiWorld.Run(world => Measurement.Run(world.Group, world.LibraryVersion));
                return 0;
            case ["measure", var threads]:
                InProcessRanks.Run(int.Parse(threads, CultureInfo.InvariantCulture), group => Measurement.Run(group, "Threads"));
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    private static void TryAll(MpiWorld world, IReadOnlyList<ConformanceCase> cases)
    {
        using var backend = new CpuBackend(1);
        foreach (var trial in cases)
        {
            try
            {
                trial.Body(world.Group, backend);
            }
            catch (Exception e) when (e is ConformanceException or CollectiveException)
            {
                throw new ConformanceException($"{trial.Name}: {e.Message}");
            }

            Console.WriteLine($"rank {world.Group.Rank} of {world.Group.Size} on {world.Host}: {trial.Name}");
        }

        Console.WriteLine($"rank {world.Group.Rank} kept all promises over {world.LibraryVersion}");
    }
}
