using Hadal.Numerics;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Worker.Conformance;

namespace Hadal.Parallel.Worker;

/// <summary>What a rank does that a test has started.</summary>
internal static class RankProgram
{
    public static int Run(string[] arguments)
    {
        int size = arguments.Length > 0 ? int.Parse(arguments[0], System.Globalization.CultureInfo.InvariantCulture) : 2;
        foreach (var trial in CollectiveConformance.Cases)
        {
            InProcessRanks.Run(size, group =>
            {
                using var backend = new CpuBackend(1);
                trial.Body(group, backend);
            });
            Console.WriteLine(trial);
        }

        return 0;
    }
}
