using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace Hadal.Serving.Tests.Clients;

/// <summary>A tour of the API by OpenAI's own package for .NET.</summary>
public sealed class OpenAIPackageTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private OpenAIClient Client => new(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_server.Url + "/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });

    private ChatClient Chat => Client.GetChatClient("tiny");

    private static UserChatMessage[] Hello => [new("Hello")];

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Chat_has_text_usage_and_reason()
    {
        ChatCompletion answer = await Chat.CompleteChatAsync(Hello, Seeded(20, 4), Cancellation);
        Assert.NotEmpty(answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(20, answer.Usage.OutputTokenCount);
        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        Assert.Equal("tiny", answer.Model);
        Assert.Equal(0, answer.Usage.OutputTokenDetails.ReasoningTokenCount);
    }

    [Fact]
    public async Task A_stream_says_the_same_and_ends_with_usage()
    {
        var options = Seeded(30, 4);
        ChatCompletion whole = await Chat.CompleteChatAsync(Hello, options, Cancellation);
        string text = "";
        ChatTokenUsage? usage = null;
        ChatFinishReason? reason = null;
        await foreach (var update in Chat.CompleteChatStreamingAsync(Hello, options, Cancellation))
        {
            text += string.Concat(update.ContentUpdate.Select(c => c.Text));
            usage = update.Usage ?? usage;
            reason = update.FinishReason ?? reason;
        }

        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal(30, usage?.OutputTokenCount);
        Assert.Equal(ChatFinishReason.Length, reason);
    }

    [Fact]
    public async Task A_tool_is_called_and_its_result_taken()
    {
        var tool = ChatTool.CreateFunctionTool("dice", "Rolls a die.", BinaryData.FromString("""
            {"type":"object","properties":{"sides":{"type":"integer","minimum":2,"maximum":20}},"required":["sides"],"additionalProperties":false}
            """));
        var options = Seeded(300, 1);
        options.Tools.Add(tool);
        options.ToolChoice = ChatToolChoice.CreateRequiredChoice();
        options.AllowParallelToolCalls = false;
        ChatCompletion answer = await Chat.CompleteChatAsync(Hello, options, Cancellation);
        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var call = Assert.Single(answer.ToolCalls);
        using var arguments = JsonDocument.Parse(call.FunctionArguments);
        Assert.InRange(arguments.RootElement.GetProperty("sides").GetInt32(), 2, 20);

        options.ToolChoice = ChatToolChoice.CreateAutoChoice();
        ChatCompletion second = await Chat.CompleteChatAsync([.. Hello, new AssistantChatMessage(answer), new ToolChatMessage(call.Id, "4")], options, Cancellation);
        Assert.True(second.Content.Count > 0 || second.ToolCalls.Count > 0);

        // The same call, streamed.
        options.ToolChoice = ChatToolChoice.CreateFunctionChoice("dice");
        string pieces = "", name = "";
        await foreach (var update in Chat.CompleteChatStreamingAsync(Hello, options, Cancellation))
        {
            foreach (var piece in update.ToolCallUpdates) (name, pieces) = (name + piece.FunctionName, pieces + piece.FunctionArgumentsUpdate?.ToString());
        }

        Assert.Equal("dice", name);
        using var streamed = JsonDocument.Parse(pieces);
        Assert.InRange(streamed.RootElement.GetProperty("sides").GetInt32(), 2, 20);
    }

    [Fact]
    public async Task An_answer_keeps_to_a_schema()
    {
        var options = Seeded(200, 2);
        options.ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("age", BinaryData.FromString("""
            {"type":"object","properties":{"age":{"type":"integer","minimum":0,"maximum":99}},"required":["age"],"additionalProperties":false}
            """), jsonSchemaIsStrict: true);
        ChatCompletion answer = await Chat.CompleteChatAsync(Hello, options, Cancellation);
        using var json = JsonDocument.Parse(answer.Content[0].Text);
        Assert.InRange(json.RootElement.GetProperty("age").GetInt32(), 0, 99);
    }

    [Fact]
    public async Task Probabilities_come_with_every_token()
    {
        var options = Seeded(8, 4);
        (options.IncludeLogProbabilities, options.TopLogProbabilityCount) = (true, 3);
        ChatCompletion answer = await Chat.CompleteChatAsync(Hello, options, Cancellation);
        Assert.Equal(8, answer.ContentTokenLogProbabilities.Count);
        Assert.All(answer.ContentTokenLogProbabilities, t => Assert.True(t is { LogProbability: <= 0, TopLogProbabilities.Count: 3 }));
        Assert.Equal(answer.Content[0].Text, System.Text.Encoding.UTF8.GetString([.. answer.ContentTokenLogProbabilities.SelectMany(t => t.Utf8Bytes!.Value.ToArray())]));
    }

    [Fact]
    public async Task A_seed_repeats_an_answer_and_a_stop_string_ends_it()
    {
        ChatCompletion first = await Chat.CompleteChatAsync(Hello, Seeded(40, 9), Cancellation), again = await Chat.CompleteChatAsync(Hello, Seeded(40, 9), Cancellation);
        string text = first.Content[0].Text;
        Assert.Equal(text, again.Content[0].Text);
        string stop = text.EnumerateRunes().Skip(5).First(r => r.Value != 0xFFFD).ToString();
        var options = Seeded(40, 9);
        options.StopSequences.Add(stop);
        ChatCompletion stopped = await Chat.CompleteChatAsync(Hello, options, Cancellation);
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], stopped.Content.Count > 0 ? stopped.Content[0].Text : "");
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
    }

    [Fact]
    public async Task Errors_carry_the_servers_sentence()
    {
        var e = await Assert.ThrowsAsync<ClientResultException>(() => Chat.CompleteChatAsync(Hello, new ChatCompletionOptions { Temperature = 3 }, Cancellation));
        Assert.Equal(400, e.Status);
        Assert.Contains("temperature is 3; it has to be from 0 to 2.", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ClientResultException>(() => Client.GetChatClient("gpt-5").CompleteChatAsync(Hello, cancellationToken: Cancellation));
        Assert.Equal(404, e.Status);
        Assert.Contains("There is no model \"gpt-5\" here", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ClientResultException>(() => Chat.CompleteChatAsync([new UserChatMessage(new string('x', 5000))], cancellationToken: Cancellation));
        Assert.Contains("context_length_exceeded", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<ClientResultException>(() => Client.GetEmbeddingClient("tiny").GenerateEmbeddingAsync("x", cancellationToken: Cancellation));
        Assert.Equal(501, e.Status);
    }

    [Fact]
    public async Task A_stream_that_is_left_holds_no_pages()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in Chat.CompleteChatStreamingAsync(Hello, Seeded(3000, 4), stop.Token))
            {
                if (update.ContentUpdate.Count > 0) await stop.CancelAsync();
            }
        });
        await _server.IdleAsync();
    }

    [Fact]
    public async Task The_list_of_models_has_the_one()
    {
        var models = await Client.GetOpenAIModelClient().GetModelsAsync(Cancellation);
        Assert.Equal("tiny", Assert.Single(models.Value).Id);
        Assert.Equal("tiny", (await Client.GetOpenAIModelClient().GetModelAsync("tiny", Cancellation)).Value.Id);
    }

    // The seed is marked as an experiment of the package.
#pragma warning disable OPENAI001
    private static ChatCompletionOptions Seeded(int tokens, long seed) => new() { MaxOutputTokenCount = tokens, Seed = seed };
#pragma warning restore OPENAI001
}
