using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Inference.Sampling;
using Hadal.Model.Chat;
using Hadal.Serving.Answering;

namespace Hadal.Serving.OpenAI;

/// <summary>From the API's fields to what the model is asked; whatever is wrong is named by its field.</summary>
internal static class RequestReading
{
    private const int MostStops = 16;
    private const int MostStopLength = 512;

    public static ChatTurn Chat(ChatCompletionRequest request, ServedModel model, ServingLimits limits)
    {
        if (request.Messages is not { Count: > 0 } messages) throw new RequestException("messages is missing or empty; it is the conversation to be answered.", "messages");
        var conversation = new ChatConversation([.. messages.Select(Message)])
        {
            Tools = Tools(request, limits),
            Thinking = Thinking(request),
            AddGenerationPrompt = request.AddGenerationPrompt ?? true,
            ContinueLastMessage = request.ContinueFinalMessage ?? false,
        };
        var (choice, name) = Choice(request, conversation.Tools);
        var (shape, schema) = Shape(request.ResponseFormat, limits);
        string mostField = request.MaxCompletionTokens is null ? "max_tokens" : "max_completion_tokens";
        int? probabilities = request.Logprobs == true ? request.TopLogprobs ?? 0 : null;
        if (request is { TopLogprobs: not null, Logprobs: not true }) throw new RequestException("top_logprobs needs logprobs to be true.", "top_logprobs");
        return new ChatTurn
        {
            Conversation = conversation,
            Generation = Generation(request, model, request.MaxCompletionTokens ?? request.MaxTokens, mostField, probabilities, request.TopLogprobs is null ? "logprobs" : "top_logprobs") with { CountExperts = request.ExpertCounts ?? false },
            Shape = shape,
            Schema = schema,
            ToolChoice = choice,
            ToolName = name,
            ParallelCalls = request.ParallelToolCalls ?? true,
        };
    }

    /// <summary>Everything but the prompt.</summary>
    public static EngineRequest Generation(SamplingFields request, ServedModel model, int? maxTokens, string maxTokensField, int? probabilities, string probabilitiesField)
    {
        if (maxTokens < 1) throw new RequestException($"{maxTokensField} is {maxTokens}; it has to be 1 or more.", maxTokensField);
        if (probabilities is < 0 or > 20) throw new RequestException($"{probabilitiesField} is {probabilities}; it can be 0 to 20.", probabilitiesField);
        CheckPriority(request.Priority);
        return new EngineRequest
        {
            PromptTokens = [],
            MaxTokens = maxTokens ?? int.MaxValue,
            Sampling = Sampling(request, model),
            StopStrings = Stops(request.Stop),
            StopTokens = request.IgnoreEos == true ? [] : null,
            Probabilities = probabilities,
            Priority = request.Priority ?? 0,
        };
    }

    public static void CheckPriority(int? priority) => Require(priority is null or (>= -100 and <= 100), "priority", priority, "from -100 to 100");

    public static int Choices(SamplingFields request, ServingLimits limits)
    {
        int n = request.N ?? 1;
        return n >= 1 && n <= limits.MostChoices ? n : throw new RequestException($"n is {n}; it can be 1 to {limits.MostChoices}.", "n");
    }

    public static ChatMessage Message(MessageField message, int index)
    {
        string field = $"messages[{index}]";
        string role = message.Role switch
        {
            null => throw new RequestException($"{field} has no role.", $"{field}.role"),
            "developer" => "system",
            "system" or "user" or "assistant" or "tool" => message.Role,
            _ => throw new RequestException($"{field} has the role {Quote(message.Role)}; roles are system, user, assistant and tool.", $"{field}.role"),
        };
        var calls = message.ToolCalls?.Select((call, i) => Call(call, $"{field}.tool_calls[{i}]")).ToList();
        if (calls is { Count: 0 }) calls = null;
        string? content = Content(message.Content, field);
        if (content is null && calls is null) throw new RequestException($"{field} ({role}) has no content.", $"{field}.content");
        return new ChatMessage(role, content, calls) { Reasoning = message.ReasoningContent, ToolCallId = message.ToolCallId };
    }

    public static string Quote(string text) => "\"" + (text.Length > 60 ? text[..60] + "…" : text) + "\"";

    private static ChatToolCall Call(ToolCallField call, string field)
    {
        if (call.Function?.Name is not { Length: > 0 } name) throw new RequestException($"{field} has no function name.", $"{field}.function.name");
        return new ChatToolCall(call.Type ?? "function", name, call.Function.Arguments ?? "{}") { Id = call.Id };
    }

    private static string? Content(JsonElement? content, string field)
    {
        switch (content?.ValueKind)
        {
            case null or JsonValueKind.Null or JsonValueKind.Undefined:
                return null;
            case JsonValueKind.String:
                return content.Value.GetString();
            case JsonValueKind.Array:
                return string.Concat(content.Value.EnumerateArray().Select((part, i) => Part(part, $"{field}.content[{i}]")));
            default:
                throw new RequestException($"{field}.content has to be a text or a list of parts.", $"{field}.content");
        }

        static string Part(JsonElement part, string field)
        {
            string? type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var t) && t.ValueKind == JsonValueKind.String ? t.GetString() : null;
            if (type == "text" && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String) return text.GetString()!;
            throw new RequestException(
                type is null or "text" ? $"{field} is no part of a message; expected {{\"type\":\"text\",\"text\":…}}." : $"{field} is of type {Quote(type)}; this model reads text only.", field);
        }
    }

    private static List<ChatTool> Tools(ChatCompletionRequest request, ServingLimits limits)
    {
        if (request.Tools is not { Count: > 0 } tools) return [];
        if (tools.Count > limits.MostTools) throw new RequestException($"There are {tools.Count} tools; at most {limits.MostTools} are allowed.", "tools");
        return [.. tools.Select((tool, i) =>
        {
            string field = $"tools[{i}]";
            if (tool.Type is not (null or "function")) throw new RequestException($"{field} is of type {Quote(tool.Type)}; only functions can be called.", $"{field}.type");
            if (tool.Function?.Name is not { } name || !IsName(name))
                throw new RequestException($"{field}.function.name has to be 1 to 64 letters, digits, underscores and hyphens.", $"{field}.function.name");
            if (tool.Function.Parameters is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
                throw new RequestException($"{field}.function.parameters has to be a JSON Schema, an object.", $"{field}.function.parameters");
            string? parameters = tool.Function.Parameters is { ValueKind: JsonValueKind.Object } schema ? schema.GetRawText() : null;
            if (parameters?.Length > limits.MostSchemaBytes)
                throw new RequestException($"{field}.function.parameters has {parameters.Length} characters; at most {limits.MostSchemaBytes} are allowed.", $"{field}.function.parameters");
            return new ChatTool(name, tool.Function.Description, parameters);
        })];

        static bool IsName(string name) => name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');
    }

    private static (ToolChoice Choice, string? Name) Choice(ChatCompletionRequest request, IReadOnlyList<ChatTool> tools)
    {
        if (request.ToolChoice is not { ValueKind: not JsonValueKind.Null } choice) return (ToolChoice.Auto, null);
        string? word = choice.ValueKind == JsonValueKind.String ? choice.GetString() : null;
        string? name = choice.ValueKind == JsonValueKind.Object && choice.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
            && function.TryGetProperty("name", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        var result = (word, name) switch
        {
            ("auto", _) => (ToolChoice.Auto, null),
            ("none", _) => (ToolChoice.None, null),
            ("required", _) => (ToolChoice.Required, null),
            (null, { } wanted) => (ToolChoice.Required, wanted),
            _ => throw new RequestException("tool_choice has to be \"auto\", \"none\", \"required\" or {\"type\":\"function\",\"function\":{\"name\":…}}.", "tool_choice"),
        };
        if (result.Item1 == ToolChoice.Required && tools.Count == 0) throw new RequestException("tool_choice asks for a call, but there are no tools.", "tool_choice");
        if (result.Item2 is { } called && tools.All(t => t.Name != called)) throw new RequestException($"tool_choice names {Quote(called)}, which is not among the tools.", "tool_choice");
        return result;
    }

    private static (AnswerShape Shape, JsonElement? Schema) Shape(ResponseFormatField? format, ServingLimits limits)
    {
        switch (format?.Type)
        {
            case null or "text":
                return (AnswerShape.Free, null);
            case "json_object":
                return (AnswerShape.Json, null);
            case "json_schema":
                if (format.JsonSchema?.Schema is not { ValueKind: JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False } schema)
                    throw new RequestException("response_format.json_schema.schema is missing; it is the JSON Schema of the answer.", "response_format.json_schema.schema");
                int length = schema.GetRawText().Length;
                if (length > limits.MostSchemaBytes)
                    throw new RequestException($"The schema has {length} characters; at most {limits.MostSchemaBytes} are allowed.", "response_format.json_schema.schema");
                return (AnswerShape.Schema, schema);
            default:
                throw new RequestException($"response_format.type is {Quote(format.Type)}; it can be text, json_object or json_schema.", "response_format.type");
        }
    }

    private static bool? Thinking(ChatCompletionRequest request) => (request.Thinking?.Type, request.ChatTemplateKwargs, request.ReasoningEffort) switch
    {
        ("enabled", _, _) => true,
        ("disabled", _, _) => false,
        ({ } other, _, _) => throw new RequestException($"thinking.type is {Quote(other)}; it can be enabled or disabled.", "thinking.type"),
        (_, { Thinking: { } on }, _) => on,
        (_, { EnableThinking: { } on }, _) => on,
        (_, _, { } effort) => effort != "none",
        _ => null,
    };

    private static SamplingOptions Sampling(SamplingFields r, ServedModel model)
    {
        Require(r.Temperature is null or (>= 0 and <= 2), "temperature", r.Temperature, "from 0 to 2");
        Require(r.TopP is null or (> 0 and <= 1), "top_p", r.TopP, "above 0 and at most 1");
        Require(r.TopK is null or >= -1, "top_k", r.TopK, "a positive number, or 0 or -1 for none");
        Require(r.MinP is null or (>= 0 and < 1), "min_p", r.MinP, "from 0 to below 1");
        Require(r.PresencePenalty is null or (>= -2 and <= 2), "presence_penalty", r.PresencePenalty, "from -2 to 2");
        Require(r.FrequencyPenalty is null or (>= -2 and <= 2), "frequency_penalty", r.FrequencyPenalty, "from -2 to 2");
        Require(r.RepetitionPenalty is null or (> 0 and <= 10), "repetition_penalty", r.RepetitionPenalty, "above 0 and at most 10");
        return new SamplingOptions
        {
            Temperature = r.Temperature ?? model.Defaults.Temperature,
            TopP = r.TopP ?? model.Defaults.TopP,
            TopK = Math.Max(0, r.TopK ?? 0),
            MinP = r.MinP ?? 0,
            PresencePenalty = r.PresencePenalty ?? 0,
            FrequencyPenalty = r.FrequencyPenalty ?? 0,
            RepetitionPenalty = r.RepetitionPenalty ?? 1,
            Seed = r.Seed is { } seed ? unchecked((ulong)seed) : null,
            LogitBias = Bias(r.LogitBias, model),
        };
    }

    private static Dictionary<int, double>? Bias(Dictionary<string, double>? fields, ServedModel model)
    {
        if (fields is null) return null;
        var bias = new Dictionary<int, double>();
        foreach (var (name, value) in fields)
        {
            if (!int.TryParse(name, out int token) || token < 0 || token >= model.Tokenizer.VocabularySize)
                throw new RequestException($"logit_bias names {Quote(name)}; its keys are token ids, 0 to {model.Tokenizer.VocabularySize - 1}.", "logit_bias");
            Require(value is >= -100 and <= 100, "logit_bias", value, "from -100 to 100");

            // At the ends of the API's range a token is forbidden or certain.
            bias[token] = value is -100 or 100 ? 10 * value : value;
        }

        return bias;
    }

    private static List<string> Stops(JsonElement? stop)
    {
        List<string> stops = stop?.ValueKind switch
        {
            null or JsonValueKind.Null => [],
            JsonValueKind.String => [stop.Value.GetString()!],
            JsonValueKind.Array when stop.Value.EnumerateArray().All(s => s.ValueKind == JsonValueKind.String) => [.. stop.Value.EnumerateArray().Select(s => s.GetString()!)],
            _ => throw new RequestException("stop has to be a text or a list of texts.", "stop"),
        };
        if (stops.Count > MostStops) throw new RequestException($"stop has {stops.Count} texts; at most {MostStops} are allowed.", "stop");
        if (stops.Exists(s => s.Length is 0 or > MostStopLength)) throw new RequestException($"Each text of stop has to have 1 to {MostStopLength} characters.", "stop");
        return stops;
    }

    private static void Require(bool fits, string field, object? value, string range)
    {
        if (!fits) throw new RequestException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{field} is {value}; it has to be {range}."), field);
    }
}
