using System.Globalization;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>Ranks of the worker program under a launcher of MPI.</summary>
internal static class MpiJob
{
    /// <summary>How long a job may take that has nothing to wait for.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    /// <summary>How soon a job has to end when a rank is gone.</summary>
    public static readonly TimeSpan EndBound = TimeSpan.FromSeconds(30);

    /// <summary>The program that is a rank.</summary>
    public static string Worker { get; } = Path.Combine(AppContext.BaseDirectory, "Hadal.Parallel.Worker");

    /// <summary>Open MPI's launcher with what more ranks than cores need, and ranks of the worker; skips the test where there is none.</summary>
    public static string[] OpenMpi(int ranks, params string[] arguments) => OpenMpi(ranks, [], arguments);

    /// <summary>The same with further options of the launcher.</summary>
    public static string[] OpenMpi(int ranks, string[] options, string[] arguments)
    {
        string? launcher = Launch.Find("mpirun.openmpi");
        Assert.SkipWhen(launcher is null, "Open MPI is not installed (scripts/install-optional.sh installs it).");
        return
        [
            launcher, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", "-x", "TERM=dumb", .. options,
            "-n", ranks.ToString(CultureInfo.InvariantCulture), Worker, .. arguments,
        ];
    }

    /// <summary>MPICH's launcher and ranks of the worker; skips the test where there is none.</summary>
    public static string[] Mpich(int ranks, params string[] arguments)
    {
        string? launcher = Launch.Find("mpiexec.mpich") ?? Launch.Find("mpiexec.hydra");
        Assert.SkipWhen(launcher is null, "MPICH is not installed (scripts/install-optional.sh installs it).");
        return [launcher, "-n", ranks.ToString(CultureInfo.InvariantCulture), Worker, .. arguments];
    }

    /// <summary>Throws unless every rank says that it has kept all promises.</summary>
    public static void CheckAllKept(int ranks, int code, string output)
    {
        Assert.True(code == 0, $"The job ended with {code}:\n{output}");
        for (int r = 0; r < ranks; r++) Assert.Contains($"rank {r} kept all promises", output);
    }

    /// <summary>The process that a rank has said it is.</summary>
    public static int ProcessOf(int rank, string output)
    {
        string start = $"rank {rank} is process ";
        string line = output.Split('\n').Single(l => l.StartsWith(start, StringComparison.Ordinal));
        return int.Parse(line[start.Length..].Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
