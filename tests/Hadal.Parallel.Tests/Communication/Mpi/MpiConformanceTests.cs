using Hadal.Parallel.Worker.Conformance;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>The promises of <see cref="CollectiveConformance"/> between processes of this machine.</summary>
public class MpiConformanceTests
{
    public static TheoryData<string> EndingCases => [.. CollectiveConformance.EndingCases.Select(c => c.Name)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Processes_keep_all_promises_over_Open_MPI(int ranks) => Conform(ranks, MpiJob.OpenMpi(ranks, "conformance"));

    [Fact]
    public void Processes_keep_all_promises_over_Open_MPI_by_sockets() => Conform(2, MpiJob.OpenMpi(2, ["--mca", "btl", "self,tcp"], ["conformance"]));

    [Fact]
    public void Lengths_beyond_what_MPI_counts_become_types_of_their_own() => Conform(2, MpiJob.OpenMpi(2, "conformance", "1000"));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Processes_keep_all_promises_over_MPICH(int ranks) => Conform(ranks, MpiJob.Mpich(ranks, "conformance"));

    [Fact]
    public void Lengths_beyond_what_MPICH_counts_become_types_of_their_own() => Conform(2, MpiJob.Mpich(2, "conformance", "1000"));

    [Theory]
    [MemberData(nameof(EndingCases))]
    public void Processes_that_do_not_agree_over_Open_MPI_hear_it(string name) => Disagree(name, MpiJob.OpenMpi(3, "disagree", name));

    [Theory]
    [MemberData(nameof(EndingCases))]
    public void Processes_that_do_not_agree_over_MPICH_hear_it(string name) => Disagree(name, MpiJob.Mpich(3, "disagree", name));

    [Fact(Explicit = true)]
    public void More_than_2_GiB_move_at_once_over_Open_MPI() => Conform(2, MpiJob.OpenMpi(2, "large"));

    [Fact(Explicit = true)]
    public void More_than_2_GiB_move_at_once_over_MPICH() => Conform(2, MpiJob.Mpich(2, "large"));

    [Fact]
    public void A_library_that_is_named_and_cannot_be_loaded_is_an_error_that_says_so()
    {
        var (code, output) = Launch.Run(MpiJob.Bound, MpiJob.OpenMpi(2, ["-x", "HADAL_MPI_LIBRARY=libnone.so.1"], ["conformance"]));
        Assert.NotEqual(0, code);
        Assert.Contains("Open MPI's mpirun (OMPI_COMM_WORLD_SIZE is set), but libnone.so.1 cannot be loaded.", output);
    }

    private static void Conform(int ranks, string[] command)
    {
        var (code, output) = Launch.Run(MpiJob.Bound, command);
        MpiJob.CheckAllKept(ranks, code, output);
    }

    private static void Disagree(string name, string[] command)
    {
        var (code, output) = Launch.Run(MpiJob.Bound, command);
        Assert.NotEqual(0, code);
        Assert.Contains("rank 2 of 3 on ", output);
        Assert.Contains($": {name}", output);
        Assert.DoesNotContain("ConformanceException", output);
        Assert.Contains("rank 2 kept all promises", output);
    }
}
