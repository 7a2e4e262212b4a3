using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Serving.Tests;

/// <summary><c>/v1/completions</c>: several prompts, several answers to each.</summary>
public sealed class CompletionTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(endless: true);

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Answers_come_in_the_order_of_their_prompts_and_each_prompt_counts_once()
    {
        object[] prompt = ["ab", new[] { 100, 101, 102, 103, 104 }];
        var (status, answer) = await _server.PostAsync("/v1/completions", new { prompt, n = 2, max_tokens = 6, seed = 3, echo = true });
        Assert.Equal(200, status);
        string[] texts = [.. answer.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("text").GetString()!)];
        Assert.Equal(4, texts.Length);
        Assert.All(texts[..2], t => Assert.StartsWith("ab", t, StringComparison.Ordinal));
        Assert.All(texts[2..], t => Assert.StartsWith("abcde", t, StringComparison.Ordinal));
        Assert.NotEqual(texts[0], texts[1]);
        var usage = answer.GetProperty("usage");

        // The text has a begin token before it, tokens are taken as they are.
        Assert.Equal(3 + 5, usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(4 * 6, usage.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(8 + 24, usage.GetProperty("total_tokens").GetInt32());
    }

    [Fact]
    public async Task A_request_with_several_answers_is_measured_as_one()
    {
        var factory = _server.Application.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name is "gen_ai.client.token.usage" or "gen_ai.server.request.duration" && instrument.Meter.Scope == factory) l.EnableMeasurementEvents(instrument);
            },
        };
        long tokens = 0;
        int requests = 0;
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref tokens, value));
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref requests));
        listener.Start();
        await _server.PostAsync("/v1/completions", new { prompt = "abc", n = 3, max_tokens = 5 });
        Assert.Equal((4 + 15, 1), (tokens, requests));
    }
}
