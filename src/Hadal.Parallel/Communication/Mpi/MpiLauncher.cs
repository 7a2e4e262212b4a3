using System.Globalization;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>Who has started this process as a rank, told by the environment.</summary>
/// <param name="Name">In words.</param>
/// <param name="Library">The library that belongs to it; null where there is none that would find the other ranks.</param>
/// <param name="Package">What brings the library, on Debian.</param>
internal sealed record MpiLauncher(string Name, string? Library, string? Package)
{
    /// <summary>Names the library, for a place where the loader does not find it or for another one of the same ABI.</summary>
    public const string LibraryVariable = "HADAL_MPI_LIBRARY";

    /// <summary>The launcher of this process; null if it was started as a program of its own.</summary>
    public static MpiLauncher? Detect() => Detect(Environment.GetEnvironmentVariable);

    /// <summary>The launcher that an environment tells of.</summary>
    /// <param name="variable">The value of a variable; null if it is not set.</param>
    public static MpiLauncher? Detect(Func<string, string?> variable)
    {
        if (variable("OMPI_COMM_WORLD_SIZE") is not null) return OpenMpi("Open MPI's mpirun (OMPI_COMM_WORLD_SIZE is set)");
        if (variable("PMIX_RANK") is not null) return OpenMpi("a launcher that speaks PMIx (PMIX_RANK is set)");
        if (variable("PMI_RANK") is not null || variable("PMI_SIZE") is not null) return new MpiLauncher("MPICH's mpirun or srun --mpi=pmi2 (PMI_RANK is set)", "libmpich.so.12", "libmpich12");
        return int.TryParse(variable("SLURM_STEP_NUM_TASKS"), NumberStyles.None, CultureInfo.InvariantCulture, out int tasks) && tasks > 1
            ? new MpiLauncher($"srun, as one of {tasks} tasks that cannot find each other", null, null)
            : null;
    }

    private static MpiLauncher OpenMpi(string name) => new(name, "libmpi.so.40", "libopenmpi3");
}
