using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.Mpi;

namespace Hadal.Parallel.Tests.Communication.Mpi;

public class MpiLauncherTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE=4", "libmpi.so.40")]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=1 SLURM_STEP_NUM_TASKS=4", "libmpi.so.40")]
    [InlineData("PMIX_RANK=1 SLURM_STEP_NUM_TASKS=4", "libmpi.so.40")]
    [InlineData("PMI_RANK=1 PMI_SIZE=4", "libmpich.so.12")]
    [InlineData("PMI_RANK=1 PMI_SIZE=4 SLURM_STEP_NUM_TASKS=4", "libmpich.so.12")]
    public void The_launcher_decides_on_the_library(string environment, string library) => Assert.Equal(library, Detect(environment)!.Library);

    [Theory]
    [InlineData("")]
    [InlineData("SLURM_JOB_ID=7 SLURM_NTASKS=8")]
    [InlineData("SLURM_JOB_ID=7 SLURM_NTASKS=8 SLURM_STEP_NUM_TASKS=1")]
    public void A_program_of_its_own_is_no_rank(string environment) => Assert.Null(Detect(environment));

    [Fact]
    public void Tasks_of_srun_that_cannot_find_each_other_hear_what_to_say()
    {
        var launcher = Detect("SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=3")!;
        Assert.Equal(
            "This process was started by srun, as one of 8 tasks that cannot find each other: say srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH).",
            Assert.Throws<CollectiveException>(() => MpiLibrary.Load(launcher)).Message);
    }

    [Fact]
    public void A_missing_library_is_named_with_what_brings_it()
    {
        var launcher = new MpiLauncher("a test", "libnone.so.1", "libnone1");
        Assert.Equal(
            "This process was started by a test, but libnone.so.1 cannot be loaded. Install it (on Debian: apt-get install libnone1), or set HADAL_MPI_LIBRARY to its path.",
            Assert.Throws<CollectiveException>(() => MpiLibrary.Load(launcher)).Message);
    }

    [Fact]
    public void A_library_that_is_no_MPI_is_refused()
    {
        var launcher = new MpiLauncher("a test", "libc.so.6", "libc6");
        Assert.Equal("libc.so.6 has neither Open MPI's nor MPICH's binary interface.", Assert.Throws<CollectiveException>(() => MpiLibrary.Load(launcher)).Message);
    }

    [Fact]
    public void Who_was_not_launched_as_a_rank_hears_how_to()
    {
        Assert.SkipWhen(MpiWorld.IsLaunched, "This test runs under a launcher.");
        Assert.Contains("mpirun -n N", Assert.Throws<InvalidOperationException>(MpiWorld.Start).Message);
    }

    private static MpiLauncher? Detect(string environment)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        return MpiLauncher.Detect(variables.GetValueOrDefault);
    }
}
