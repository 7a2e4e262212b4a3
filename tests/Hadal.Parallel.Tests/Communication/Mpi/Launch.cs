using System.Diagnostics;
using System.Text;

namespace Hadal.Parallel.Tests.Communication.Mpi;

/// <summary>A program that a test has started, with all it prints; ended with everything it has started when the test ends.</summary>
internal sealed class Launch : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly ManualResetEventSlim _printed = new();

    /// <summary>Starts a program, away from a terminal and from what tells ranks of a job.</summary>
    public Launch(params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["TERM"] = "dumb";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Append(e.Data);
        _process.ErrorDataReceived += (_, e) => Append(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Everything printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>Where a program is; null if it is on no path.</summary>
    public static string? Find(string name) => new[] { "/usr/bin", "/usr/sbin", "/sbin", "/bin", "/usr/local/bin" }
        .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code and what it printed.</returns>
    public static (int Code, string Output) Run(TimeSpan bound, params string[] command)
    {
        using var launch = new Launch(command);
        int code = launch.WaitForEnd(bound);
        return (code, launch.Output);
    }

    /// <summary>Waits until it has printed something.</summary>
    public void WaitFor(Func<string, bool> printed, TimeSpan bound)
    {
        long start = Stopwatch.GetTimestamp();
        while (!printed(Output))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Assert.True(Stopwatch.GetElapsedTime(start) < bound && !(_process.HasExited && !_printed.IsSet), $"It did not print what was expected of it:\n{Output}");
            _printed.Wait(50, TestContext.Current.CancellationToken);
            _printed.Reset();
        }
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public int WaitForEnd(TimeSpan bound)
    {
        Assert.True(_process.WaitForExit(bound), $"It has not ended after {bound.TotalSeconds} s:\n{Output}");

        // Once more, for what is still in the pipes.
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _printed.Dispose();
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        _printed.Set();
    }
}
