using System.IO.Compression;
using System.Text.Json;
using Hadal.Model.Chat;
using Hadal.Model.Tests.Tokenization;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Chat;

/// <summary>The built-in templates against prompts that Jinja made of the published ones (tests/golden/chat).</summary>
public class PublishedTemplateTests
{
    private static readonly string _file = Path.Combine(GoldenData.Root, "tests", "golden", "chat", "conversations.jsonl.gz");

    public static TheoryData<string> Names => [.. ChatTemplate.Names, "deepseek-v3.1 thinking"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Prompts_are_those_of_the_published_template(string name)
    {
        var template = ChatTemplate.Named(name.Split(' ')[0]);
        int compared = 0;
        foreach (var line in Lines())
        {
            if (!line.GetProperty("expected").TryGetProperty(name, out var expected)) continue;
            var conversation = Conversation(line) with { Thinking = name.EndsWith(" thinking", StringComparison.Ordinal) ? true : null };
            if (expected.ValueKind == JsonValueKind.Null)
            {
                Assert.Throws<TokenizerException>(() => template.Render(conversation));
                continue;
            }

            Assert.Equal(expected.GetString(), template.Render(conversation));
            Assert.Equal(expected.GetString(), TokenizerData.V3.Decode(template.Encode(TokenizerData.V3, conversation)));
            compared++;
        }

        Assert.True(compared > 150, $"only {compared} prompts");
    }

    [Fact]
    public void Each_template_is_recognised_by_its_text_and_no_two_by_the_same()
    {
        string[] hashes = [.. KnownTemplate.All.SelectMany(static t => t.TextHashes)];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.All(hashes, static h => Assert.Equal(64, Convert.FromHexString(h).Length * 2));
        Assert.Equal("deepseek-v3", ChatTemplate.For(TokenizerData.V3).Name);
        string v3 = TokenizerData.V3.Settings.ChatTemplate!;
        string r1 = v3[..^"'}}{% endif %}".Length] + "<think>\\n'}}{% endif %}";
        Assert.Equal("deepseek-r1", ChatTemplate.Recognize(new TokenizerSettings { ChatTemplate = r1 })?.Name);
        Assert.Equal("deepseek-r1", ChatTemplate.Recognize(new TokenizerSettings { ChatTemplate = r1.Replace("\\n", "\n", StringComparison.Ordinal) + "\n" })?.Name);
        Assert.Null(ChatTemplate.Recognize(new TokenizerSettings { ChatTemplate = r1 + "x" }));
    }

    internal static IEnumerable<JsonElement> Lines()
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(_file), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    private static ChatConversation Conversation(JsonElement line) => new([.. line.GetProperty("messages").EnumerateArray().Select(Message)])
    {
        AddGenerationPrompt = line.GetProperty("generate").GetBoolean(),
        ContinueLastMessage = line.TryGetProperty("continue", out _),
        Tools = line.TryGetProperty("tools", out var tools) ? [.. tools.EnumerateArray().Select(static t => Tool(t.GetProperty("function")))] : [],
    };

    private static ChatTool Tool(JsonElement function)
        => new(function.GetProperty("name").GetString()!, function.GetProperty("description").GetString(), function.GetProperty("parameters").GetRawText());

    private static ChatMessage Message(JsonElement message)
        => new(
            message.GetProperty("role").GetString()!,
            message.GetProperty("content").GetString(),
            message.TryGetProperty("tool_calls", out var calls) ? [.. calls.EnumerateArray().Select(Call)] : null)
        {
            Reasoning = message.TryGetProperty("reasoning", out var reasoning) ? reasoning.GetString() : null,
            ToolCallId = message.TryGetProperty("tool_call_id", out var id) ? id.GetString() : null,
        };

    private static ChatToolCall Call(JsonElement call)
    {
        var function = call.GetProperty("function");
        return new ChatToolCall(call.GetProperty("type").GetString()!, function.GetProperty("name").GetString()!, function.GetProperty("arguments").GetString()!)
        {
            Id = call.GetProperty("id").GetString(),
        };
    }
}
