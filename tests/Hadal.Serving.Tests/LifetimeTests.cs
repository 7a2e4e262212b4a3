using System.Net.Http.Json;
using System.Text.Json;
using Hadal.Inference;
using Hadal.Serving.Hosting;
using Hadal.Serving.OpenAI;
using Hadal.Serving.Security;
using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Serving.Tests;

/// <summary>Clients that go away, servers that stop, keys that are wrong or used up.</summary>
public sealed class LifetimeTests
{
    private static readonly object _long = new { messages = new[] { new { role = "user", content = "x" } }, stream = true, max_tokens = 3000, logit_bias = new Dictionary<string, int> { ["1"] = -100 } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_goes_away_frees_its_pages()
    {
        await using var server = await TestServer.StartAsync();
        using (var response = await BeginAsync(server)) await ReadLineAsync(response).BoundedAsync();
        await server.IdleAsync();
        Assert.True(server.Model.Engine.Statistics.GeneratedTokens < 3000);
    }

    [Fact]
    public async Task A_reader_that_stands_still_holds_up_nobody()
    {
        await using var server = await TestServer.StartAsync();
        using var response = await BeginAsync(server);
        await ReadLineAsync(response).BoundedAsync();

        // The engine ends the text although nobody reads it.
        await server.IdleAsync();
        string rest = await RestAsync(response).BoundedAsync();
        Assert.EndsWith("data: [DONE]\n\n", rest);
    }

    [Fact]
    public async Task A_server_that_stops_lets_answers_end_and_takes_no_more()
    {
        var server = await TestServer.StartAsync();
        using var response = await BeginAsync(server);
        await ReadLineAsync(response).BoundedAsync();
        var stopping = server.Application.StopAsync(Cancellation);
        Assert.False(server.Application.Services.GetRequiredService<ModelSource>().IsReady);
        string rest = await RestAsync(response).BoundedAsync();
        Assert.EndsWith("data: [DONE]\n\n", rest);
        await stopping.BoundedAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_may_not_wait_says_that_it_stopped()
    {
        var server = await TestServer.StartAsync(o => o.DrainTime = TimeSpan.Zero, context: 4096);
        using var response = await BeginAsync(server);
        await ReadLineAsync(response).BoundedAsync();
        var stopping = server.Application.StopAsync(Cancellation);
        string rest = await RestAsync(response).BoundedAsync();
        string last = rest.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Equal("overloaded_error", JsonDocument.Parse(last["data: ".Length..]).RootElement.GetProperty("error").GetProperty("type").GetString());
        await stopping.BoundedAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_is_no_reason_to_fall_over()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "config.json"), "{}", Cancellation);
        await Assert.ThrowsAnyAsync<Exception>(() => TestServer.StartAsync(o => o.Model = folder.Path));
        var error = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => TestServer.StartAsync(o => (o.Model, o.Template) = ("/no/such", "v9")));
        Assert.Contains("/no/such", error.Message);
        Assert.Contains("v9", error.Message);
    }

    [Fact]
    public async Task A_model_that_cannot_generate_a_token_has_not_been_loaded()
    {
        using var tiny = ChatModel.Broken();
        var error = await Assert.ThrowsAsync<GenerationException>(() => TestServer.StartAsync(o => o.Model = tiny.Folder));
        Assert.Contains("not finite", error.Message);
    }

    [Fact]
    public async Task Limits_that_make_no_sense_are_said_at_the_start()
    {
        var limits = new ServingLimits { MostBodyBytes = 0, MostChoices = 0, MostInputs = 0, MostTools = -1, MostSchemaBytes = -1, MostTime = TimeSpan.FromDays(50), KeepAlive = TimeSpan.Zero };
        var error = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => TestServer.StartAsync(o => o.Limits = limits));
        Assert.Equal(7, error.Failures.Count(f => f.StartsWith("Hadal:Limits:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Keys_open_the_door_as_far_as_they_go()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "keys"), alice = ApiKeyFile.NewKey(), bob = ApiKeyFile.NewKey();
        await File.WriteAllLinesAsync(file, ["# who may ask", ApiKeyFile.LineOf(alice, "alice"), ApiKeyFile.LineOf(bob, "bob", requestsPerMinute: 2)], Cancellation);
        Assert.DoesNotContain(alice, await File.ReadAllTextAsync(file, Cancellation));
        await using var server = await TestServer.StartAsync(o => o.ApiKeyFile = file);
        Assert.Equal((401, "invalid_api_key"), await AskAsync(null));
        Assert.Equal((401, "invalid_api_key"), await AskAsync("hadal-wrong"));
        for (int i = 0; i < 5; i++) Assert.Equal((200, null), await AskAsync(alice));
        for (int i = 0; i < 2; i++) Assert.Equal((200, null), await AskAsync(bob));
        Assert.Equal((429, "rate_limit_exceeded"), await AskAsync(bob));
        Assert.Equal((200, null), await AskAsync(alice));
        Assert.Equal(200, (int)(await server.Client.GetAsync("/health/live", Cancellation)).StatusCode);

        async Task<(int, string?)> AskAsync(string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            if (key is not null) request.Headers.Authorization = new("Bearer", key);
            using var response = await server.Client.SendAsync(request, Cancellation);
            var body = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
            return ((int)response.StatusCode, body.TryGetProperty("error", out var error) ? error.GetProperty("code").GetString() : null);
        }
    }

    [Theory]
    [InlineData("", "no keys")]
    [InlineData("alice sha256:12", "64 hexadecimal")]
    [InlineData("sha256:12", "without a name")]
    [InlineData("al/ice sha256:12", "al/ice")]
    [InlineData("alice sha256:{0} often=3", "often=3")]
    [InlineData("alice sha256:{0}\nalice sha256:{0}", "two keys")]
    public void A_wrong_file_of_keys_says_where(string text, string message)
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "keys");
        File.WriteAllText(file, text.Replace("{0}", new string('a', 64), StringComparison.Ordinal));
        Assert.Contains(message, Assert.Throws<ApiKeyException>(() => ApiKeyFile.Load(file)).Message);
    }

    [Fact]
    public async Task Metrics_count_what_was_served()
    {
        await using var server = await TestServer.StartAsync();
        var measured = new Dictionary<string, double>();
        var factory = server.Application.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Monitoring.ServingMeters.Name && instrument.Meter.Scope == factory) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((i, value, _, _) => Add(i.Name, value));
        listener.SetMeasurementEventCallback<long>((i, value, _, _) => Add(i.Name, value));
        listener.Start();
        await server.PostAsync("/v1/completions", new { prompt = "abc", max_tokens = 7, logit_bias = new Dictionary<string, int> { ["1"] = -100 } });
        await server.PostAsync("/v1/completions", new { prompt = "" + 5, max_tokens = -7 });
        lock (measured) measured.Remove("hadal.tokens.generated");
        listener.RecordObservableInstruments();
        Assert.Equal(4 + 7, measured["gen_ai.client.token.usage"]);
        Assert.True(measured["gen_ai.server.request.duration"] >= measured["gen_ai.server.time_to_first_token"]);
        Assert.True(measured["hadal.tokens.generated"] >= 7);
        Assert.True(measured["hadal.experts.chosen"] > 0);
        Assert.True(measured["hadal.requests.refused"] >= 1);

        void Add(string name, double value)
        {
            lock (measured) measured[name] = measured.GetValueOrDefault(name) + value;
        }
    }

    private static async Task<HttpResponseMessage> BeginAsync(TestServer server)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(_long) };
        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    private static async Task ReadLineAsync(HttpResponseMessage response)
    {
        var stream = await response.Content.ReadAsStreamAsync(Cancellation);
        Assert.True(await stream.ReadAsync(new byte[64], Cancellation) > 0);
    }

    private static async Task<string> RestAsync(HttpResponseMessage response) =>
        await new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation)).ReadToEndAsync(Cancellation);
}
