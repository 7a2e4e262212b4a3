using System.Diagnostics;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>Ranks on two hosts, which are two network namespaces: over sockets, with names of their own.</summary>
public class TwoHostsTests
{
    [Fact]
    public void Ranks_on_two_hosts_keep_all_promises_and_notice_when_one_is_killed_or_the_wire_is_cut()
    {
        using var hosts = TwoHosts.Make();
        Conform(hosts);
        Kill(hosts);
        Cut(hosts);
    }

    private static void Conform(TwoHosts hosts)
    {
        var (code, output) = Launch.Run(MpiJob.Bound, hosts.Job("conformance"));
        MpiJob.CheckAllKept(4, code, output);
        for (int r = 0; r < 4; r++) Assert.Contains($"rank {r} of 4 on {hosts.Names[r / 2]}: ", output);
    }

    private static void Kill(TwoHosts hosts)
    {
        using var job = Start(hosts);
        using (var process = Process.GetProcessById(MpiJob.ProcessOf(3, job.Output))) process.Kill();
        Assert.NotEqual(0, job.WaitForEnd(MpiJob.EndBound));
        Assert.Contains("process rank 3", job.Output);
        Assert.Contains($"on node {hosts.Names[1]} exited on signal 9", job.Output);
    }

    private static void Cut(TwoHosts hosts)
    {
        using var job = Start(hosts);
        hosts.Cut();
        Assert.NotEqual(0, job.WaitForEnd(MpiJob.EndBound));
        Assert.Contains("lost communication", job.Output);
        Assert.Contains(hosts.Names[1], job.Output[job.Output.IndexOf("lost communication", StringComparison.Ordinal)..]);
    }

    private static Launch Start(TwoHosts hosts)
    {
        var job = new Launch(hosts.Job("fail", "never"));
        try
        {
            job.WaitFor(output => Enumerable.Range(0, 4).All(r => output.Contains($"rank {r} is process ")), MpiJob.Bound);
            return job;
        }
        catch
        {
            job.Dispose();
            throw;
        }
    }
}
