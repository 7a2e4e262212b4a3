using System.Diagnostics;

namespace Hadal.Cli.Tests;

/// <summary>The program as a process of its own, for what cannot be tried inside this one: dying, signals, limits of the system.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _out;
    private readonly Task<string> _error;

    private ChildProcess(Process process)
    {
        _process = process;
        _out = process.StandardOutput.ReadToEndAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The program beside the test binaries.</summary>
    private static string Program => Path.Combine(AppContext.BaseDirectory, "hadal.dll");

    public static ChildProcess Start(params string[] args) => Start("dotnet", [Program, .. args]);

    /// <summary>Through a shell that sets limits first.</summary>
    public static ChildProcess StartLimited(string limits, params string[] args) =>
        Start("bash", ["-c", limits + "; exec dotnet \"$@\"", "bash", Program, .. args]);

    /// <summary>As ranks of a job that mpirun starts.</summary>
    public static ChildProcess StartRanks(IEnumerable<string> launcher, int ranks, params string[] args) =>
        Start("mpirun.openmpi", [.. launcher, "-n", $"{ranks}", "dotnet", Program, .. args]);

    /// <summary>Process numbers of the ranks, in their order.</summary>
    public int[] Ranks()
    {
        var ranks = new SortedDictionary<int, int>();
        foreach (string children in Directory.EnumerateDirectories($"/proc/{_process.Id}/task").Select(t => File.ReadAllText(Path.Combine(t, "children"))))
        {
            foreach (int child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => int.Parse(c, System.Globalization.CultureInfo.InvariantCulture)))
            {
                string? rank = File.ReadAllText($"/proc/{child}/environ").Split('\0').FirstOrDefault(v => v.StartsWith("OMPI_COMM_WORLD_RANK=", StringComparison.Ordinal));
                if (rank is not null) ranks.Add(int.Parse(rank.AsSpan(rank.IndexOf('=') + 1), System.Globalization.CultureInfo.InvariantCulture), child);
            }
        }

        return [.. ranks.Values];
    }

    /// <summary>SIGKILL for another process.</summary>
    public static void Kill(int process)
    {
        using var victim = Process.GetProcessById(process);
        victim.Kill();
    }

    private static ChildProcess Start(string file, IEnumerable<string> args)
    {
        var start = new ProcessStartInfo(file, args) { RedirectStandardOutput = true, RedirectStandardError = true };

        // Quick to start, and without a file of the runtime's own that a limit on file sizes would hit.
        start.Environment["TERM"] = "dumb";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return new ChildProcess(Process.Start(start)!);
    }

    public bool HasExited => _process.HasExited;

    /// <summary>SIGKILL: not asked, not told.</summary>
    public void Kill() => _process.Kill();

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async Task<CliRun> FinishAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CliRun(_process.ExitCode, await _out, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
