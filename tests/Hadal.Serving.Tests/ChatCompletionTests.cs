using System.Net.Http.Json;
using System.Text.Json;

namespace Hadal.Serving.Tests;

public sealed class ChatCompletionTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private static object[] Hello => [new { role = "user", content = "Hello" }];

    [Fact]
    public async Task The_same_request_streamed_and_whole_gives_the_same_answer()
    {
        var (status, whole) = await _server.PostAsync("/v1/chat/completions", new { messages = Hello, max_tokens = 40, seed = 3, model = "tiny" });
        Assert.Equal(200, status);
        string text = whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        Assert.Equal(40, whole.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", whole.GetProperty("choices")[0].GetProperty("finish_reason").GetString());

        var events = await StreamAsync(new { messages = Hello, max_tokens = 40, seed = 3, stream = true, stream_options = new { include_usage = true } });
        string streamed = string.Concat(events.SelectMany(e => e.GetProperty("choices").EnumerateArray())
            .Select(c => c.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
        Assert.Equal(text, streamed);
        Assert.Equal(40, events[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", events[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task An_answer_by_schema_is_json_of_that_schema()
    {
        var schema = JsonSerializer.Deserialize<JsonElement>("""
            {"type":"object","properties":{"age":{"type":"integer","minimum":0,"maximum":99},"name":{"type":"string","maxLength":5}},"required":["age","name"],"additionalProperties":false}
            """);
        for (int seed = 0; seed < 5; seed++)
        {
            var (_, answer) = await _server.PostAsync(
                "/v1/chat/completions",
                new { messages = Hello, seed, response_format = new { type = "json_schema", json_schema = new { name = "person", schema } } });
            var person = JsonDocument.Parse(answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!).RootElement;
            Assert.InRange(person.GetProperty("age").GetInt32(), 0, 99);
            Assert.True(person.GetProperty("name").GetString()!.EnumerateRunes().Count() <= 5);
            Assert.Equal("stop", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        }
    }

    [Theory]
    [InlineData("deepseek-v3")]
    [InlineData("deepseek-v3.1")]
    public async Task A_required_call_is_made_with_arguments_of_the_schema(string template)
    {
        await using var server = await TestServer.StartAsync(template: template);
        var tools = new[]
        {
            new { type = "function", function = new { name = "dice", parameters = new { type = "object", properties = new { sides = new { type = "integer", minimum = 2, maximum = 20 } }, required = new[] { "sides" }, additionalProperties = false } } },
        };
        var (status, answer) = await server.PostAsync("/v1/chat/completions", new { messages = Hello, tools, tool_choice = "required", parallel_tool_calls = false, seed = 1 });
        Assert.Equal(200, status);
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        var call = Assert.Single(choice.GetProperty("message").GetProperty("tool_calls").EnumerateArray());
        Assert.Equal("dice", call.GetProperty("function").GetProperty("name").GetString());
        Assert.InRange(JsonDocument.Parse(call.GetProperty("function").GetProperty("arguments").GetString()!).RootElement.GetProperty("sides").GetInt32(), 2, 20);
    }

    [Fact]
    public async Task Thoughts_come_apart_from_the_answer_and_only_the_answer_has_to_be_json()
    {
        await using var server = await TestServer.StartAsync(template: "deepseek-r1");
        int close = server.Model.Tokenizer.IdOf("</think>")!.Value;
        object[] schema = [new { type = "object", properties = new { ok = new { type = "boolean" } }, required = new[] { "ok" }, additionalProperties = false }];
        var format = new { type = "json_schema", json_schema = new { name = "x", schema = schema[0] } };
        var (_, thinking) = await server.PostAsync("/v1/chat/completions", new { messages = Hello, max_tokens = 30, seed = 1, logit_bias = new Dictionary<string, int> { [$"{close}"] = -100, ["1"] = -100 } });
        var message = thinking.GetProperty("choices")[0].GetProperty("message");
        Assert.NotEmpty(message.GetProperty("reasoning_content").GetString()!);
        Assert.Equal("", message.GetProperty("content").GetString());
        Assert.Equal(30, thinking.GetProperty("usage").GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32());

        var (_, answered) = await server.PostAsync("/v1/chat/completions", new { messages = Hello, seed = 1, response_format = format, logit_bias = new Dictionary<string, int> { [$"{close}"] = 8 } });
        message = answered.GetProperty("choices")[0].GetProperty("message");
        Assert.True(JsonDocument.Parse(message.GetProperty("content").GetString()!).RootElement.GetProperty("ok").ValueKind is JsonValueKind.True or JsonValueKind.False);
        Assert.DoesNotContain("think>", message.GetRawText());
    }

    [Fact]
    public async Task Several_answers_differ_and_come_again_with_the_same_seed()
    {
        var request = new { messages = Hello, n = 3, max_tokens = 12, seed = 5 };
        var (_, first) = await _server.PostAsync("/v1/chat/completions", request);
        var (_, second) = await _server.PostAsync("/v1/chat/completions", request);
        string[] texts = Texts(first);
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(texts, Texts(second));

        static string[] Texts(JsonElement answer) =>
            [.. answer.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("message").GetProperty("content").GetString()!)];
    }

    public static TheoryData<string, string, int, string> Mistakes => new()
    {
        { """{}""", "messages", 400, "messages is missing" },
        { """{"messages":[]}""", "messages", 400, "missing or empty" },
        { """{"messages":[{"role":"robot","content":"x"}]}""", "messages[0].role", 400, "robot" },
        { """{"messages":[{"role":"user"}]}""", "messages[0].content", 400, "no content" },
        { """{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content[0]", 400, "reads text only" },
        { """{"messages":[{"role":"user","content":"x"}],"temperature":3}""", "temperature", 400, "from 0 to 2" },
        { """{"messages":[{"role":"user","content":"x"}],"n":99}""", "n", 400, "1 to 16" },
        { """{"messages":[{"role":"user","content":"x"}],"max_tokens":0}""", "max_tokens", 400, "1 or more" },
        { """{"messages":[{"role":"user","content":"x"}],"model":"gpt-5"}""", "model", 404, "gpt-5" },
        { """{"messages":[{"role":"user","content":"x"}],"tool_choice":"required"}""", "tool_choice", 400, "no tools" },
        { """{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"xml"}}""", "response_format.type", 400, "json_schema" },
        { """{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"nonsense"}}}}""", "response_format.json_schema.schema", 400, "is no type" },
        { """{"messages":[{"role":"user","content":"x"}],"logit_bias":{"abc":1}}""", "logit_bias", 400, "token ids" },
        { """{"messages":[{"role":"user","content":"x"}],"stop":[""]}""", "stop", 400, "1 to 512" },
        { """{"messages":[{"role":"user","content":"x"}],"top_logprobs":3}""", "top_logprobs", 400, "logprobs" },
        { """{"messages":"x"}""", "messages", 400, "wrong type" },
        { """{"messages":[""", "messages[0]", 400, "no valid JSON" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_named_with_its_field(string body, string field, int status, string message)
    {
        using var response = await _server.Client.PostAsync("/v1/chat/completions", new StringContent(body, null, "application/json"), TestContext.Current.CancellationToken);
        var error = (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(message, error.GetProperty("message").GetString());
        Assert.Equal(field, error.GetProperty("param").GetString());
    }

    private async Task<List<JsonElement>> StreamAsync(object body)
    {
        using var response = await _server.Client.PostAsJsonAsync("/v1/chat/completions", body);
        string[] lines = [.. (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != ':')];
        Assert.Equal("data: [DONE]", lines[^1]);
        return [.. lines[..^1].Select(l => JsonSerializer.Deserialize<JsonElement>(l["data: ".Length..]))];
    }
}
