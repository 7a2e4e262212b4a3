using System.Diagnostics;
using System.Globalization;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>Two network namespaces with a wire between them, which a launcher of MPI takes for two machines: each has its own name and addresses, and nothing else is reached from them.</summary>
internal sealed class TwoHosts : IDisposable
{
    private const string Network = "10.77.0.0/24";
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private readonly TemporaryFolder _folder = new();
    private readonly string _ip;

    private TwoHosts(string ip)
    {
        _ip = ip;
        string suffix = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Names = [$"hadal0-{suffix}", $"hadal1-{suffix}"];
    }

    /// <summary>Names of the two.</summary>
    public string[] Names { get; }

    /// <summary>Lays them out; skips the test, with the reason, where that is not possible.</summary>
    public static TwoHosts Make()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root makes network namespaces.");
        Assert.SkipWhen(Launch.Find("mpirun.openmpi") is null, "Open MPI is not installed (scripts/install-optional.sh installs it).");
        string? ip = Launch.Find("ip");
        Assert.SkipWhen(ip is null, "There is no ip to make network namespaces with (scripts/install-optional.sh installs it).");
        var hosts = new TwoHosts(ip);
        try
        {
            var (code, output) = Launch.Run(_bound, ip, "netns", "add", hosts.Names[0]);
            Assert.SkipWhen(code != 0, $"This machine makes no network namespaces: {output}");
            hosts.LayOut();
            return hosts;
        }
        catch
        {
            hosts.Dispose();
            throw;
        }
    }

    /// <summary>Open MPI's launcher on the first host, with two ranks on each, over sockets; it notices within seconds that the other host is gone.</summary>
    public string[] Job(params string[] arguments)
    {
        string[] options =
        [
            "--mca", "plm_rsh_agent", _folder.File("agent.sh"), "--hostfile", _folder.File("hosts"),
            "--mca", "btl", "self,vader,tcp", "--mca", "btl_tcp_if_include", Network, "--mca", "oob_tcp_if_include", Network,
            "--mca", "oob_tcp_keepalive_time", "3", "--mca", "oob_tcp_keepalive_intvl", "2", "--mca", "oob_tcp_keepalive_probes", "2",
        ];
        return [_folder.File("agent.sh"), Names[0], .. MpiJob.OpenMpi(4, options, arguments)];
    }

    /// <summary>Takes the wire out of the second host.</summary>
    public void Cut() => Ip("-n", Names[1], "link", "set", Wire(1), "down");

    public void Dispose()
    {
        foreach (string name in Names)
        {
            // What still runs there was started for this test, and would keep the namespace.
            foreach (string id in Launch.Run(_bound, _ip, "netns", "pids", name).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int process)) continue;
                try
                {
                    using var left = Process.GetProcessById(process);
                    left.Kill();
                }
                catch (Exception e) when (e is ArgumentException or InvalidOperationException)
                {
                    // It has ended meanwhile.
                }
            }

            _ = Launch.Run(_bound, _ip, "netns", "del", name);
        }

        _folder.Dispose();
    }

    private static string Wire(int host) => $"hdl{host}-{Environment.ProcessId}";

    private void LayOut()
    {
        Ip("netns", "add", Names[1]);
        Ip("link", "add", Wire(0), "netns", Names[0], "type", "veth", "peer", "name", Wire(1), "netns", Names[1]);
        for (int host = 0; host < 2; host++)
        {
            Ip("-n", Names[host], "addr", "add", $"10.77.0.{10 + host}/24", "dev", Wire(host));
            Ip("-n", Names[host], "link", "set", Wire(host), "up");
            Ip("-n", Names[host], "link", "set", "lo", "up");
        }

        // In the place of ssh: the first argument is the host, the others are the command.
        string agent = _folder.File("agent.sh");
        File.WriteAllText(agent, $"#!/bin/bash\nhost=$1\nshift\nexec {_ip} netns exec \"$host\" unshare --uts bash -c \"hostname $host; $*\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(_folder.File("hosts"), $"{Names[0]} slots=2\n{Names[1]} slots=2\n");
    }

    private void Ip(params string[] arguments)
    {
        var (code, output) = Launch.Run(_bound, [_ip, .. arguments]);
        Assert.True(code == 0, $"ip {string.Join(' ', arguments)}: {output}");
    }
}
