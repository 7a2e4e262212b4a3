using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Hadal.Inference.Generation;
using Hadal.Serving.Answering;

namespace Hadal.Serving.Tests;

/// <summary>
/// Sixty-four streams at once, some of which are cancelled and some of which are read slowly: no error, nothing left behind, and greedy texts equal to those
/// that each prompt gets alone. Six seconds in every run; longer with HADAL_SOAK_SECONDS, with another model with HADAL_SOAK_MODEL.
/// </summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Streams = 64;
    private const int Prompts = 24;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_streams_leave_nothing_behind_and_get_the_texts_of_solo_runs()
    {
        int seconds = int.Parse(Environment.GetEnvironmentVariable("HADAL_SOAK_SECONDS") ?? "6", CultureInfo.InvariantCulture);
        string? folder = Environment.GetEnvironmentVariable("HADAL_SOAK_MODEL");
        await using var server = await TestServer.StartAsync(o =>
        {
            if (folder is not null) (o.Model, o.Threads) = (folder, 0);
            o.Engine = new Inference.Batching.EngineOptions { ContextTokens = 512, CacheTokens = 8192 };
        });
        var requests = Enumerable.Range(0, Prompts).Select(Request).ToArray();
        var expected = Alone(server.Model, requests);

        // The first round fills caches that stay; what comes behind must not add to them.
        await RunAsync(server, requests, expected, TimeSpan.FromSeconds(Math.Min(3, seconds)));
        var before = await MeasureAsync(server);
        var (ended, cancelled, slow) = await RunAsync(server, requests, expected, TimeSpan.FromSeconds(seconds));
        var after = await MeasureAsync(server);
        output.WriteLine($"{ended} ended, {cancelled} cancelled, {slow} read slowly; {before} before, {after} after; {server.Model.Engine.Statistics.Preemptions} preemptions");
        Assert.True(ended > 0 && cancelled > 0 && slow > 0);
        Assert.Equal((0, 0, 0), (server.Model.Engine.Statistics.Running, server.Model.Engine.Statistics.Waiting, server.Model.Engine.Statistics.HeldPages));
        Assert.True(after.Handles <= before.Handles + 8, $"{before.Handles} handles before, {after.Handles} after.");
        Assert.True(after.Heap < before.Heap + (16 << 20), $"{before.Heap:N0} bytes before, {after.Heap:N0} after.");
    }

    private static (int[] Prompt, int Tokens) Request(int number)
    {
        // Half of the prompts begin alike.
        var common = new Random(1);
        var own = new Random(100 + number);
        int[] start = number % 2 == 0 ? [.. Enumerable.Range(0, 130).Select(_ => common.Next(3, 259))] : [];
        return ([.. start, .. Enumerable.Range(0, own.Next(5, 90)).Select(_ => own.Next(3, 259))], own.Next(20, 120));
    }

    private static string[] Alone(ServedModel model, (int[] Prompt, int Tokens)[] requests)
    {
        using var generator = new TextGenerator(model.Engine.Model, model.Tokenizer, new GeneratorOptions { ContextTokens = 512 });
        return [.. requests.Select(r => generator.Generate(new GenerationRequest { PromptTokens = r.Prompt, MaxTokens = r.Tokens }).Text)];
    }

    private static async Task<(int Ended, int Cancelled, int Slow)> RunAsync(TestServer server, (int[] Prompt, int Tokens)[] requests, string[] expected, TimeSpan time)
    {
        int ended = 0, cancelled = 0, slow = 0;

        // A client of the round's own: connections that a client keeps are no leak of the server.
        using var client = new HttpClient { BaseAddress = new Uri(server.Url), Timeout = TimeSpan.FromMinutes(2) };
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(async stream =>
        {
            var random = new Random(stream);
            while (clock.Elapsed < time)
            {
                int number = random.Next(Prompts);
                double fate = random.NextDouble();
                string? text = await StreamAsync(client, requests[number], fate < 0.2 ? random.Next(1, 40) : null, fate > 0.85 ? TimeSpan.FromMilliseconds(20) : TimeSpan.Zero);
                if (text is null)
                {
                    Interlocked.Increment(ref cancelled);
                    continue;
                }

                Assert.Equal(expected[number], text);
                Interlocked.Increment(ref ended);
                if (fate > 0.85) Interlocked.Increment(ref slow);
            }
        }));
        return (ended, cancelled, slow);
    }

    // The text; null if it was cancelled after so many events.
    private static async Task<string?> StreamAsync(HttpClient client, (int[] Prompt, int Tokens) request, int? cancelAfter, TimeSpan delay)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { prompt = request.Prompt, max_tokens = request.Tokens, temperature = 0, stream = true }),
        };
        using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal(200, (int)response.StatusCode);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var text = new StringBuilder();
        for (int events = 0; await reader.ReadLineAsync(Cancellation) is { } line; events++)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            if (line == "data: [DONE]") return text.ToString();
            var chunk = JsonDocument.Parse(line["data: ".Length..]).RootElement;
            Assert.False(chunk.TryGetProperty("error", out _), line);
            text.Append(chunk.GetProperty("choices")[0].GetProperty("text").GetString());
            if (events >= cancelAfter) return null;
            if (delay > TimeSpan.Zero) await Task.Delay(delay, Cancellation);
        }

        Assert.Fail("The stream ended without [DONE].");
        return null;
    }

    private static async Task<(int Handles, long Heap)> MeasureAsync(TestServer server)
    {
        await server.IdleAsync();
        await Task.Delay(1000, Cancellation);
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        int handles = Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd").Length : 0;
        return (handles, heap);
    }
}

/// <summary>Tests that count what the whole process holds.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
