using System.Diagnostics;
using System.Net.WebSockets;

namespace Hadal.Serving.Tests.Page;

/// <summary>
/// A headless Chromium, driven over its DevTools protocol. Taken from the environment variable HADAL_CHROMIUM, else from the PATH; without one, tests are skipped.
/// </summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] _names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    private readonly string _profile = Directory.CreateTempSubdirectory("hadal-browser-").FullName;
    private Process? _process;
    private DevTools? _tools;

    /// <summary>Where the browser is; null if there is none.</summary>
    public static string? Executable { get; } = Find();

    /// <summary>Starts the browser, if there is one.</summary>
    public async ValueTask InitializeAsync()
    {
        if (Executable is null) return;
        var start = new ProcessStartInfo(Executable) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--remote-debugging-port=0", "--user-data-dir=" + _profile, "about:blank",
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(await AddressAsync(), TestContext.Current.CancellationToken);
        _tools = new DevTools(socket);
    }

    /// <summary>Opens an address in a window that shares nothing with others; skips the test if there is no browser.</summary>
    public async Task<BrowserPage> OpenAsync(string url)
    {
        Assert.SkipWhen(Executable is null, "No Chromium was found: set HADAL_CHROMIUM to one, or put chromium on the PATH.");
        return await BrowserPage.OpenAsync(_tools!, url);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tools is not null) await _tools.DisposeAsync();
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        try
        {
            Directory.Delete(_profile, recursive: true);
        }
        catch (IOException)
        {
            // A process of the browser may still be writing there.
        }
    }

    // The browser writes its port and the path of its socket into its profile.
    private async Task<Uri> AddressAsync()
    {
        string file = Path.Combine(_profile, "DevToolsActivePort");
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(60); await Task.Delay(20))
        {
            if (_process!.HasExited) throw new InvalidOperationException($"{Executable} ended with {_process.ExitCode}.");
            string[] lines = File.Exists(file) ? await File.ReadAllLinesAsync(file) : [];
            if (lines.Length >= 2) return new Uri($"ws://127.0.0.1:{lines[0]}{lines[1]}");
        }

        throw new TimeoutException($"{Executable} opened no DevTools port.");
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("HADAL_CHROMIUM") is { Length: > 0 } named) return named;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => _names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }
}
