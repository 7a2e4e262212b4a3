using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Hadal.Serving.Tests.Clients;

/// <summary>The same abstractions over the network: Microsoft.Extensions.AI.OpenAI.</summary>
public sealed class ExtensionsClientTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private IChatClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_server.Url + "/v1") }).GetChatClient("tiny").AsIChatClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Streamed_and_whole_are_the_same_and_have_usage()
    {
        var options = new ChatOptions { MaxOutputTokens = 20, Seed = 3, Temperature = 0.5f };
        var whole = await _client.GetResponseAsync("Hello", options, Cancellation);
        var streamed = await _client.GetStreamingResponseAsync("Hello", options, Cancellation).ToChatResponseAsync(Cancellation);
        Assert.Equal(whole.Text, streamed.Text);
        Assert.Equal(20, whole.Usage!.OutputTokenCount);
        Assert.Equal(20, streamed.Usage!.OutputTokenCount);
        Assert.Equal(ChatFinishReason.Length, streamed.FinishReason);
    }

    [Fact]
    public async Task Functions_are_invoked()
    {
        int calls = 0;
        using var client = new ChatClientBuilder(_client).UseFunctionInvocation().Build();
        var options = new ChatOptions { Tools = [AIFunctionFactory.Create((bool big) => ++calls, "dice")], ToolMode = ChatToolMode.RequireAny, AllowMultipleToolCalls = false, MaxOutputTokens = 200, Seed = 1 };
        var response = await client.GetResponseAsync("Roll", options, Cancellation);
        Assert.True(calls >= 1);
        Assert.Contains(response.Messages, m => m.Role == ChatRole.Tool);
    }

    [Fact]
    public async Task An_answer_has_the_type_that_was_asked_for()
    {
        var response = await _client.GetResponseAsync<Answer>("Yes or no?", options: new ChatOptions { Seed = 1 }, cancellationToken: Cancellation);
        Assert.True(response.TryGetResult(out _), response.Text);
    }

    public sealed record Answer(bool Yes, bool Sure);
}
