using System.Diagnostics;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>One rank fails, and the job ends on all ranks, with a line that names it.</summary>
public class MpiFailureTests
{
    public static TheoryData<string, string> Ways => new()
    {
        { "throw", "gave up: the shard is torn" },
        { "abort", "gave up: out of disk" },
        { "exit", "ended before its part of the job was finished." },
        { "unhandled", "gave up: on another thread" },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void The_job_ends_and_the_rank_is_named_over_Open_MPI(string way, string words) => Fail(words, MpiJob.OpenMpi(3, "fail", way));

    [Theory]
    [MemberData(nameof(Ways))]
    public void The_job_ends_and_the_rank_is_named_over_MPICH(string way, string words) => Fail(words, MpiJob.Mpich(3, "fail", way));

    [Fact]
    public void A_rank_that_is_killed_ends_the_job_and_is_named()
    {
        using var job = new Launch(MpiJob.OpenMpi(3, "fail", "never"));
        job.WaitFor(output => Enumerable.Range(0, 3).All(r => output.Contains($"rank {r} is process ")), MpiJob.Bound);
        using (var process = Process.GetProcessById(MpiJob.ProcessOf(1, job.Output))) process.Kill();
        Assert.NotEqual(0, job.WaitForEnd(MpiJob.EndBound));
        Assert.Contains("process rank 1", job.Output);
        Assert.Contains("signal 9", job.Output);
    }

    [Fact]
    public void A_rank_that_is_killed_ends_the_job_over_MPICH()
    {
        using var job = new Launch(MpiJob.Mpich(3, "fail", "never"));
        job.WaitFor(output => Enumerable.Range(0, 3).All(r => output.Contains($"rank {r} is process ")), MpiJob.Bound);
        int id = MpiJob.ProcessOf(1, job.Output);
        using (var process = Process.GetProcessById(id)) process.Kill();
        Assert.NotEqual(0, job.WaitForEnd(MpiJob.EndBound));
        Assert.Contains("signal 9", job.Output);
    }

    [Fact]
    public void Null_references_are_caught_as_ever_beside_Open_MPI() => Caught(MpiJob.OpenMpi(3, "fail", "caught"));

    [Fact]
    public void Null_references_are_caught_as_ever_beside_MPICH_and_UCX() => Caught(MpiJob.Mpich(3, "fail", "caught"));

    private static void Fail(string words, string[] command)
    {
        var (code, output) = Launch.Run(MpiJob.EndBound, command);
        Assert.NotEqual(0, code);
        string[] lines = [.. output.Split('\n').Where(l => l.StartsWith("Rank ", StringComparison.Ordinal))];
        Assert.True(lines is [var line] && line.StartsWith("Rank 1 on ", StringComparison.Ordinal) && line.EndsWith(words, StringComparison.Ordinal), output);
    }

    private static void Caught(string[] command)
    {
        var (code, output) = Launch.Run(MpiJob.Bound, command);
        Assert.True(code == 0, output);
    }
}
