using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Hadal.Serving.Tests;

namespace Hadal.Cli.Tests;

/// <summary><c>hadal serve</c> and <c>hadal key</c> as a user meets them.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly ChatModel _model = ChatModel.Random();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Fact]
    public async Task A_killed_server_ends_its_answers_with_an_error_and_comes_back()
    {
        int port = FreePort();
        using (var server = Start(port))
        {
            await ReadyAsync(port);
            using var answer = await BeginAsync(port);
            server.Kill();
            await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync(Cancellation));
            await server.FinishAsync();
            await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync($"http://127.0.0.1:{port}/health/live", Cancellation));
        }

        using var again = Start(port);
        await ReadyAsync(port);
        var whole = await _client.PostAsJsonAsync($"http://127.0.0.1:{port}/v1/completions", new { prompt = "abc", max_tokens = 2 }, Cancellation);
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
        again.Signal("TERM");
        Assert.Equal(0, (await again.FinishAsync()).Code);
    }

    [Fact]
    public async Task A_server_told_to_stop_ends_what_it_has_begun()
    {
        int port = FreePort();
        using var server = Start(port);
        await ReadyAsync(port);
        using var answer = await BeginAsync(port);
        server.Signal("TERM");
        Assert.EndsWith("data: [DONE]\n\n", await answer.Content.ReadAsStringAsync(Cancellation));
        var run = await server.FinishAsync();
        Assert.Equal(0, run.Code);
        Assert.Contains("Stopping", run.Error);
    }

    [Fact]
    public async Task Metrics_need_a_key_where_there_are_keys_and_names_of_other_sites_lead_nowhere()
    {
        using var folder = new TemporaryFolder();
        string keys = Path.Combine(folder.Path, "keys.txt");
        var made = CliRun.Of("key", "new", "alice", "--file", keys);
        string key = made.Out.Trim();
        int port = FreePort();
        using var server = Start(port, "--api-key-file", keys);
        await ReadyAsync(port);
        foreach (string path in new[] { "/metrics", "/METRICS", "/metrics/" }) Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(path, null)).StatusCode);
        string metrics = await (await GetAsync("/metrics", key)).Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("hadal_engine_steps", metrics);
        Assert.Contains("hadal_cache_pages_limit", metrics);
        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("/v1/models", key, "evil.example")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/v1/models", key)).StatusCode);

        async Task<HttpResponseMessage> GetAsync(string path, string? bearer, string? host = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
            if (bearer is not null) request.Headers.Authorization = new("Bearer", bearer);
            if (host is not null) request.Headers.Host = host;
            return await _client.SendAsync(request, Cancellation);
        }
    }

    [Fact]
    public void What_cannot_be_served_is_said_in_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Mistake("--api-key-file is needed", "serve", _model.Folder, "--host", "0.0.0.0");
        Mistake("has to be an address", "serve", _model.Folder, "--host", "somewhere");
        Mistake("There is no model folder", "serve", "/no/such");
        Mistake($"Port {port} cannot be listened on", "serve", _model.Folder, "--port", $"{port}");
        Mistake("known are", "serve", _model.Folder, "--port", "0", "--template", "gpt");
        Mistake("cannot be read", "serve", _model.Folder, "--port", "0", "--api-key-file", "/no/such");

        static void Mistake(string message, params string[] args)
        {
            var run = CliRun.Of(args);
            Assert.Contains(message, run.Error);
            Assert.Equal(2, run.Code);
        }
    }

    [Fact]
    public async Task A_key_is_shown_once_and_its_name_is_taken_then()
    {
        using var folder = new TemporaryFolder();
        string keys = Path.Combine(folder.Path, "keys.txt");
        var first = CliRun.Of("key", "new", "alice", "--file", keys, "--concurrent", "4");
        var second = CliRun.Of("key", "new", "bob", "--file", keys, "--json");
        Assert.Equal((0, 0), (first.Code, second.Code));
        Assert.Equal("bob", JsonDocument.Parse(second.Out).RootElement.GetProperty("name").GetString());
        string text = await File.ReadAllTextAsync(keys, Cancellation);
        Assert.DoesNotContain(first.Out.Trim(), text);
        Assert.Contains("concurrent=4", text);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys));
        var again = CliRun.Of("key", "new", "alice", "--file", keys);
        Assert.Equal(2, again.Code);
        Assert.Contains("already", again.Error);
    }

    private ChildProcess Start(int port, params string[] args) =>
        ChildProcess.Start(["serve", _model.Folder, "--port", $"{port}", "--template", "deepseek-v3", "--threads", "1", .. args]);

    private Task ReadyAsync(int port) => Patience.UntilAsync(() => IsReadyAsync(port));

    private async Task<bool> IsReadyAsync(int port)
    {
        try
        {
            using var response = await _client.GetAsync($"http://127.0.0.1:{port}/health/ready", Cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // It does not listen yet.
            return false;
        }
    }

    private async Task<HttpResponseMessage> BeginAsync(int port)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/v1/completions")
        {
            Content = JsonContent.Create(new { prompt = "abc", stream = true, max_tokens = 3000, logit_bias = new Dictionary<string, int> { ["1"] = -100 } }),
        };
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
