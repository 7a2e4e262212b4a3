using Hadal.Serving.Answering;
using Hadal.Serving.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hadal.Serving.Tests;

/// <summary>Files of keys that change while the server runs.</summary>
public sealed class ApiKeyWatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Lines _log = new();
    private readonly string _file;

    public ApiKeyWatchTests() => _file = _folder.File("keys");

    public void Dispose() => _folder.Dispose();

    private Gatekeeper Gatekeeper() => new(new ApiKeyWatch(_file, _log, TimeSpan.Zero));

    // Each writing is another file to the watch, also within a tick of the file system's clock.
    private void Write(params string[] lines)
    {
        var last = File.Exists(_file) ? File.GetLastWriteTimeUtc(_file) : DateTime.MinValue;
        File.WriteAllLines(_file, lines);
        if (File.GetLastWriteTimeUtc(_file) <= last) File.SetLastWriteTimeUtc(_file, last.AddMilliseconds(1));
    }

    private static HttpRequest Request(string key)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Authorization = $"Bearer {key}";
        return http.Request;
    }

    private static string? Refusal(Gatekeeper gatekeeper, string key)
    {
        try
        {
            gatekeeper.Enter(Request(key)).Pass?.Dispose();
            return null;
        }
        catch (RequestException e)
        {
            return e.Code;
        }
    }

    [Fact]
    public void Keys_come_and_go_with_the_file()
    {
        Write(ApiKeyFile.LineOf("a", "alice"));
        using var gatekeeper = Gatekeeper();
        Assert.Equal((null, "invalid_api_key"), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "b")));
        Write(ApiKeyFile.LineOf("a", "alice"), ApiKeyFile.LineOf("b", "bob"));
        Assert.Equal((null, null), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "b")));
        Write(ApiKeyFile.LineOf("b", "bob"));
        Assert.Equal(("invalid_api_key", null), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "b")));
        Assert.Equal(2, _log.All.Count(l => l.StartsWith("Information", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.All, l => l.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_damaged_or_gone_leaves_the_keys_and_warns_once()
    {
        Write(ApiKeyFile.LineOf("a", "alice"));
        using var gatekeeper = Gatekeeper();
        Write(ApiKeyFile.LineOf("b", "bob"), "alice sha256:12");
        for (int i = 0; i < 3; i++) Assert.Equal((null, "invalid_api_key"), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "b")));
        Assert.Contains(":2: behind the name there has to be sha256:", Assert.Single(_log.All), StringComparison.Ordinal);
        File.Delete(_file);
        for (int i = 0; i < 3; i++) Assert.Null(Refusal(gatekeeper, "a"));
        Assert.Contains("cannot be read", _log.All[^1], StringComparison.Ordinal);
        Assert.Equal(2, _log.All.Count);
        Write(ApiKeyFile.LineOf("b", "bob"));
        Assert.Equal(("invalid_api_key", null), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "b")));
    }

    [Fact]
    public void Limits_that_stay_go_on_counting_and_others_begin_anew()
    {
        Write(ApiKeyFile.LineOf("a", "alice", requestsPerMinute: 2), ApiKeyFile.LineOf("b", "bob", concurrent: 1));
        using var gatekeeper = Gatekeeper();
        Assert.Equal((null, null, "rate_limit_exceeded"), (Refusal(gatekeeper, "a"), Refusal(gatekeeper, "a"), Refusal(gatekeeper, "a")));
        var pass = gatekeeper.Enter(Request("b")).Pass!;
        Assert.Equal("concurrency_limit", Refusal(gatekeeper, "b"));

        // The same limits, a new key for alice.
        Write("# changed", ApiKeyFile.LineOf("new", "alice", requestsPerMinute: 2), ApiKeyFile.LineOf("b", "bob", concurrent: 1));
        Assert.Equal(("rate_limit_exceeded", "concurrency_limit"), (Refusal(gatekeeper, "new"), Refusal(gatekeeper, "b")));

        Write(ApiKeyFile.LineOf("new", "alice", requestsPerMinute: 3), ApiKeyFile.LineOf("b", "bob", concurrent: 2));
        Assert.Equal((null, null), (Refusal(gatekeeper, "new"), Refusal(gatekeeper, "b")));

        // What began under the old limit ends without harm.
        pass.Dispose();
        using var first = gatekeeper.Enter(Request("b")).Pass;
        using var second = gatekeeper.Enter(Request("b")).Pass;
        Assert.Equal("concurrency_limit", Refusal(gatekeeper, "b"));
    }

    [Fact]
    public void Keys_in_clear_text_work_and_are_warned_of()
    {
        Write("secret");
        using var gatekeeper = Gatekeeper();
        Assert.Null(Refusal(gatekeeper, "secret"));
        string line = Assert.Single(_log.All);
        Assert.Contains("clear text", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line.Replace(_file, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_be_read_once_is_read_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pipes have no paths");
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        pipe.Write(System.Text.Encoding.UTF8.GetBytes(ApiKeyFile.LineOf("a", "alice")));
        using var reading = new System.IO.Pipes.AnonymousPipeClientStream(pipe.GetClientHandleAsString());
        string path = $"/proc/self/fd/{reading.SafePipeHandle.DangerousGetHandle()}";
        Assert.SkipUnless(File.Exists(path), "there is no /proc");
        pipe.Dispose();
        using var gatekeeper = new Gatekeeper(new ApiKeyWatch(path, _log, TimeSpan.Zero));
        for (int i = 0; i < 3; i++) Assert.Null(Refusal(gatekeeper, "a"));
        Assert.Empty(_log.All);
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add($"{logLevel} {formatter(state, exception)}");
    }
}
