using System.ComponentModel;
using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Serving.Tests.Chat;

public sealed class HadalChatClientTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private IChatClient Client => _server.Application.Services.GetRequiredService<IChatClient>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task The_answer_is_the_one_that_the_same_request_gets_over_http()
    {
        var options = new ChatOptions { MaxOutputTokens = 24, Seed = 7, Temperature = 0.7f, TopP = 0.9f, FrequencyPenalty = 0.5f, Instructions = "Be brief." };
        var response = await Client.GetResponseAsync("Hello", options, Cancellation);
        var (_, http) = await _server.PostAsync("/v1/chat/completions", new
        {
            messages = new[] { new { role = "system", content = "Be brief." }, new { role = "user", content = "Hello" } },
            max_tokens = 24,
            seed = 7,
            temperature = 0.7,
            top_p = 0.9,
            frequency_penalty = 0.5,
        });
        Assert.Equal(http.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(), response.Text);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal("tiny", response.ModelId);
        Assert.NotNull(response.CreatedAt);
        Assert.Equal(24, response.Usage!.OutputTokenCount);
        Assert.Equal(http.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), response.Usage.InputTokenCount);
    }

    [Fact]
    public async Task Streamed_pieces_are_the_whole_answer()
    {
        var options = new ChatOptions { MaxOutputTokens = 30, Seed = 3 };
        var whole = await Client.GetResponseAsync("Hello", options, Cancellation);
        var updates = await Client.GetStreamingResponseAsync("Hello", options, Cancellation).ToListAsync(Cancellation);
        Assert.True(updates.Count > 5);
        Assert.Equal(whole.Text, string.Concat(updates.Select(u => u.Text)));
        Assert.Equal(ChatFinishReason.Length, updates[^1].FinishReason);
        Assert.Equal(30, Assert.Single(updates[^1].Contents.OfType<UsageContent>()).Details.OutputTokenCount);
    }

    [Fact]
    public async Task A_prompt_that_was_computed_before_is_reported_as_cached()
    {
        string prompt = new('x', 300);
        var first = await Client.GetResponseAsync(prompt, new ChatOptions { MaxOutputTokens = 2 }, Cancellation);
        var second = await Client.GetResponseAsync(prompt, new ChatOptions { MaxOutputTokens = 2 }, Cancellation);
        Assert.Equal(0, first.Usage!.CachedInputTokenCount);
        Assert.True(second.Usage!.CachedInputTokenCount > 200);
    }

    [Fact]
    public async Task Thoughts_come_as_reasoning_and_can_be_left_out()
    {
        await using var server = await TestServer.StartAsync(template: "deepseek-r1");
        var client = server.Application.Services.GetRequiredService<IChatClient>();
        var options = new ChatOptions { MaxOutputTokens = 12, Seed = 1 };
        var response = await client.GetResponseAsync("Hello", options, Cancellation);
        Assert.NotEmpty(string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(c => c.Text)));
        Assert.Equal(12, response.Usage!.ReasoningTokenCount);
        options.Reasoning = new ReasoningOptions { Output = ReasoningOutput.None };
        Assert.DoesNotContain((await client.GetResponseAsync("Hello", options, Cancellation)).Messages.SelectMany(m => m.Contents), c => c is TextReasoningContent);
    }

    [Fact]
    public async Task A_required_function_is_called_with_arguments_of_its_schema()
    {
        var options = new ChatOptions { Tools = [Dice(_ => 0), Coin()], ToolMode = ChatToolMode.RequireSpecific("dice"), AllowMultipleToolCalls = false, Seed = 1 };
        var response = await Client.GetResponseAsync("Roll", options, Cancellation);
        var call = Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal("dice", call.Name);
        Assert.Null(call.Exception);
        Assert.Contains(((JsonElement)call.Arguments!["kind"]!).GetString(), Enum.GetNames<Kind>());
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
    }

    [Fact]
    public async Task The_loop_that_invokes_functions_goes_round()
    {
        int calls = 0;
        using var client = new ChatClientBuilder(Client).UseFunctionInvocation().Build();
        var options = new ChatOptions { Tools = [Dice(_ => ++calls)], ToolMode = ChatToolMode.RequireAny, AllowMultipleToolCalls = false, Seed = 1, MaxOutputTokens = 200 };
        var response = await client.GetResponseAsync("Roll", options, Cancellation);

        // The loop asks for a call once; what the model says to the result is its own affair.
        Assert.True(calls >= 1);
        Assert.Contains(response.Messages, m => m.Role == ChatRole.Tool && m.Contents.OfType<FunctionResultContent>().Any(r => r.Result?.ToString() == "1"));
        Assert.Equal(ChatRole.Assistant, response.Messages[^1].Role);
    }

    [Fact]
    public async Task An_answer_has_the_type_that_was_asked_for()
    {
        for (int seed = 0; seed < 4; seed++)
        {
            var response = await Client.GetResponseAsync<Weather>("Weather?", options: new ChatOptions { Seed = seed }, cancellationToken: Cancellation);
            Assert.True(response.TryGetResult(out var weather), response.Text);
            Assert.True(Enum.IsDefined(weather.Kind));
        }
    }

    [Fact]
    public async Task Leaving_the_stream_and_cancelling_free_the_pages()
    {
        await foreach (var update in Client.GetStreamingResponseAsync("Hello", new ChatOptions { Seed = 3 }, Cancellation))
        {
            if (update.Text.Length > 0) break;
        }

        Assert.Equal(0, _server.Model.Engine.Statistics.HeldPages);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Client.GetStreamingResponseAsync("Hello", new ChatOptions { Seed = 3 }, stop.Token)) await stop.CancelAsync();
        });
        Assert.Equal(0, _server.Model.Engine.Statistics.HeldPages);
        Assert.Equal(0, _server.Model.Engine.Statistics.Running);
    }

    [Fact]
    public async Task Eight_callers_at_once_get_what_each_gets_alone()
    {
        var alone = new List<string>();
        for (int i = 0; i < 8; i++) alone.Add((await Ask(i)).Text);
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(Ask));
        Assert.Equal(alone, together.Select(r => r.Text));

        Task<ChatResponse> Ask(int i) => Client.GetResponseAsync($"Question {i}", new ChatOptions { MaxOutputTokens = 20, Seed = i }, Cancellation);
    }

    [Fact]
    public async Task A_mistake_is_named()
    {
        var e = await Assert.ThrowsAsync<ChatRequestException>(() => Client.GetResponseAsync("x", new ChatOptions { Temperature = 3 }, Cancellation));
        Assert.Equal("temperature", e.Field);
        e = await Assert.ThrowsAsync<ChatRequestException>(() => Client.GetResponseAsync("x", new ChatOptions { ModelId = "other" }, Cancellation));
        Assert.Contains("\"tiny\"", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ChatRequestException>(() => Client.GetResponseAsync("x", new ChatOptions { ToolMode = ChatToolMode.RequireAny }, Cancellation));
        Assert.Contains("no tools", e.Message, StringComparison.Ordinal);
        var image = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]);
        e = await Assert.ThrowsAsync<ChatRequestException>(() => Client.GetResponseAsync([image], cancellationToken: Cancellation));
        Assert.Contains("text only", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ChatRequestException>(() => Client.GetResponseAsync("x", new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } }, Cancellation));
        Assert.Equal("min_p", e.Field);
    }

    [Fact]
    public void What_lies_behind_can_be_asked_for()
    {
        var metadata = Client.GetRequiredService<ChatClientMetadata>();
        Assert.Equal(("hadal", "tiny"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Same(_server.Model, Client.GetService<ServedModel>());
        Assert.Same(_server.Model.Engine, Client.GetService<InferenceEngine>());
        Assert.Same(Client, Client.GetService<HadalChatClient>());
        Assert.Null(Client.GetService<string>());
    }

    private static AIFunction Dice(Func<Kind, int> roll) => AIFunctionFactory.Create([Description("Rolls a die.")] (Kind kind) => roll(kind), "dice");

    private static AIFunction Coin() => AIFunctionFactory.Create(() => true, "coin");

    public enum Kind
    {
        Small,
        Large,
    }

    public sealed record Weather(Kind Kind, bool Rain);
}
