using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Serving.Answering;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.AI;

namespace Hadal.Serving.Chat;

/// <summary>From the abstractions' conversation and options to the request that the API has for them, so that both are checked by the same rules.</summary>
internal static class ChatOptionsReading
{
    /// <summary>The request.</summary>
    /// <exception cref="RequestException">There is something in it that a request cannot say.</exception>
    public static ChatCompletionRequest Request(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        List<MessageField> fields = [.. messages.SelectMany(Messages)];
        if (options is null) return new ChatCompletionRequest { Messages = fields };
        if (options.Instructions is { Length: > 0 } instructions) fields.Insert(0, new MessageField { Role = "system", Content = Json(instructions) });
        return new ChatCompletionRequest
        {
            Messages = fields,
            Temperature = Number(options.Temperature),
            TopP = Number(options.TopP),
            TopK = options.TopK,
            MinP = Number(options, "min_p"),
            PresencePenalty = Number(options.PresencePenalty),
            FrequencyPenalty = Number(options.FrequencyPenalty),
            RepetitionPenalty = Number(options, "repetition_penalty"),
            Seed = options.Seed,
            MaxTokens = options.MaxOutputTokens,
            Stop = options.StopSequences is { Count: > 0 } stops ? Json(new JsonArray([.. stops.Select(s => JsonValue.Create(s))])) : null,
            ResponseFormat = Format(options.ResponseFormat),
            Tools = options.Tools is { Count: > 0 } tools ? [.. tools.Select(Tool)] : null,
            ToolChoice = Choice(options.ToolMode),
            ParallelToolCalls = options.AllowMultipleToolCalls,
            ReasoningEffort = options.Reasoning?.Effort is { } effort ? effort == Microsoft.Extensions.AI.ReasoningEffort.None ? "none" : "high" : null,
            Thinking = Flag(options, "thinking") is { } thinking ? new ThinkingField { Type = thinking ? "enabled" : "disabled" } : null,
            Priority = Number(options, "priority") is { } priority ? (int)Math.Clamp(priority, int.MinValue, int.MaxValue) : null,
        };
    }

    // Results of several calls may share a message; the API has one message for each.
    private static IEnumerable<MessageField> Messages(ChatMessage message, int index)
    {
        foreach (var content in message.Contents)
        {
            if (content is DataContent or UriContent or HostedFileContent)
                throw new RequestException($"Message {index} has {content.GetType().Name}; this model reads text only.", $"messages[{index}].content");
        }

        foreach (var result in message.Contents.OfType<FunctionResultContent>()) yield return new MessageField { Role = "tool", Content = Json(Result(result)), ToolCallId = result.CallId };
        if (message.Role == ChatRole.Tool) yield break;
        List<ToolCallField> calls = [.. message.Contents.OfType<FunctionCallContent>().Select(call => new ToolCallField
        {
            Id = call.CallId,
            Type = "function",
            Function = new FunctionCallField { Name = call.Name, Arguments = call.Arguments is { } arguments ? JsonSerializer.Serialize(arguments, AIJsonUtilities.DefaultOptions) : "{}" },
        })];
        string text = string.Concat(message.Contents.OfType<TextContent>().Select(c => c.Text)), thoughts = string.Concat(message.Contents.OfType<TextReasoningContent>().Select(c => c.Text));
        if (text.Length == 0 && calls.Count == 0 && message.Contents.Any(c => c is FunctionResultContent)) yield break;
        yield return new MessageField
        {
            Role = message.Role.Value,
            Content = text.Length > 0 || calls.Count == 0 ? Json(text) : null,
            ReasoningContent = thoughts.Length > 0 ? thoughts : null,
            ToolCalls = calls.Count > 0 ? calls : null,
        };
    }

    private static string Result(FunctionResultContent content) => content switch
    {
        { Result: string text } => text,
        { Result: JsonElement { ValueKind: JsonValueKind.String } text } => text.GetString()!,
        { Result: { } value } => JsonSerializer.Serialize(value, AIJsonUtilities.DefaultOptions),
        { Exception: { } error } => $"Error: {error.Message}",
        _ => "",
    };

    private static ToolField Tool(AITool tool, int index) => tool is AIFunctionDeclaration function
        ? new ToolField { Type = "function", Function = new FunctionField { Name = function.Name, Description = function.Description is { Length: > 0 } text ? text : null, Parameters = function.JsonSchema } }
        : throw new RequestException($"Tool {index} is {tool.GetType().Name} ({RequestReading.Quote(tool.Name)}); only functions can be called.", $"tools[{index}]");

    private static JsonElement? Choice(ChatToolMode? mode) => mode switch
    {
        NoneChatToolMode => Json("none"),
        RequiredChatToolMode { RequiredFunctionName: { } name } => Json(new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = name } }),
        RequiredChatToolMode => Json("required"),
        _ => null,
    };

    private static ResponseFormatField? Format(ChatResponseFormat? format) => format switch
    {
        ChatResponseFormatJson { Schema: { } schema } json => new ResponseFormatField { Type = "json_schema", JsonSchema = new JsonSchemaField { Name = json.SchemaName, Schema = schema } },
        ChatResponseFormatJson => new ResponseFormatField { Type = "json_object" },
        _ => null,
    };

    // Through the decimal digits: 0.7f is meant as 0.7, not as 0.699999988.
    private static double? Number(float? value) => value is { } number ? double.Parse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static double? Number(ChatOptions options, string name)
    {
        object? value = null;
        if (options.AdditionalProperties?.TryGetValue(name, out value) != true) return null;
        return value switch
        {
            null => null,
            JsonElement { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
            float single => Number(single),
            double or decimal or int or long or short or byte => Convert.ToDouble(value, CultureInfo.InvariantCulture),
            _ => throw new RequestException($"{name} has to be a number.", name),
        };
    }

    private static bool? Flag(ChatOptions options, string name)
    {
        object? value = null;
        if (options.AdditionalProperties?.TryGetValue(name, out value) != true) return null;
        return value switch
        {
            null => null,
            bool flag => flag,
            JsonElement { ValueKind: JsonValueKind.True } => true,
            JsonElement { ValueKind: JsonValueKind.False } => false,
            _ => throw new RequestException($"{name} has to be true or false.", name),
        };
    }

    private static JsonElement Json(JsonNode node) => JsonDocument.Parse(node.ToJsonString()).RootElement.Clone();

    private static JsonElement Json(string text) => Json(JsonValue.Create(text));
}
