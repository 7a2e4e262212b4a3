using System.Globalization;
using Hadal.Cli.Errors;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Communication.Mpi;

namespace Hadal.Cli.Wiring;

/// <summary>Where the ranks of a run are: this process alone, threads of it, or processes that mpirun or srun started.</summary>
internal static class TrainingRanks
{
    // How many ranks the launcher put on this machine: Open MPI, MPICH, Slurm.
    private static readonly string[] _localSizes = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"];

    /// <summary>Runs a body on every rank that is here.</summary>
    /// <param name="file">The run.</param>
    /// <param name="threads">Threads that compute on this machine; 0 for one per processor.</param>
    /// <param name="body">Gets where to compute, and the group of all ranks, null for a run on one. Throws nothing that only one rank throws.</param>
    public static void Run(RunFile file, int threads, Action<IBackend, ICollective?> body)
    {
        int ranks = file.Run.Parallel?.Ranks ?? 1;
        if (MpiWorld.IsLaunched)
        {
            if (file.Run.Parallel is null)
                throw new MistakeException("This process was started as one of several ranks, but the run file does not say how to use them; give it parallel, with schedule, pipeline, experts and data");
            int each = threads > 0 ? threads : Math.Max(1, Environment.ProcessorCount / RanksHere());
            MpiWorld.Run(world =>
            {
                using var backend = new CpuBackend(each);
                body(backend, world.Group);
            });
        }
        else if (ranks > 1)
        {
            int each = Math.Max(1, (threads > 0 ? threads : Environment.ProcessorCount) / ranks);
            InProcessRanks.Run(ranks, world =>
            {
                using var backend = new CpuBackend(each);
                body(backend, world);
            });
        }
        else
        {
            using var backend = new CpuBackend(threads);
            body(backend, null);
        }
    }

    private static int RanksHere() => _localSizes.Select(Environment.GetEnvironmentVariable)
        .Select(v => int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0).FirstOrDefault(n => n > 0, 1);
}
