using System.Text.Json;

namespace Hadal.Serving.OpenAI;

/// <summary>Body of <c>POST /v1/chat/completions</c>. Fields that are not listed are passed over.</summary>
internal sealed record ChatCompletionRequest : SamplingFields
{
    public List<MessageField>? Messages { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public bool? Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    public ResponseFormatField? ResponseFormat { get; init; }

    public List<ToolField>? Tools { get; init; }

    /// <summary>A word, or <c>{"type":"function","function":{"name":…}}</c>.</summary>
    public JsonElement? ToolChoice { get; init; }

    public bool? ParallelToolCalls { get; init; }

    /// <summary>DeepSeek's switch: <c>{"type":"enabled"}</c> or <c>{"type":"disabled"}</c>.</summary>
    public ThinkingField? Thinking { get; init; }

    /// <summary>The switch as other servers have it: <c>{"thinking": true}</c> or <c>{"enable_thinking": true}</c>.</summary>
    public TemplateFields? ChatTemplateKwargs { get; init; }

    /// <summary><c>none</c> switches thoughts off, any other word on.</summary>
    public string? ReasoningEffort { get; init; }

    public bool? AddGenerationPrompt { get; init; }

    public bool? ContinueFinalMessage { get; init; }

    /// <summary>Hadal's own: counts how often each expert is chosen for this answer, and puts it beside the usage.</summary>
    public bool? ExpertCounts { get; init; }
}

/// <summary>One of the conversation's messages.</summary>
internal sealed record MessageField
{
    public string? Role { get; init; }

    /// <summary>A text, or a list of parts.</summary>
    public JsonElement? Content { get; init; }

    public string? ReasoningContent { get; init; }

    public List<ToolCallField>? ToolCalls { get; init; }

    public string? ToolCallId { get; init; }
}

internal sealed record ToolCallField
{
    public string? Id { get; init; }

    public string? Type { get; init; }

    public FunctionCallField? Function { get; init; }
}

internal sealed record FunctionCallField
{
    public string? Name { get; init; }

    public string? Arguments { get; init; }
}

internal sealed record ToolField
{
    public string? Type { get; init; }

    public FunctionField? Function { get; init; }
}

internal sealed record FunctionField
{
    public string? Name { get; init; }

    public string? Description { get; init; }

    public JsonElement? Parameters { get; init; }
}

internal sealed record ResponseFormatField
{
    public string? Type { get; init; }

    public JsonSchemaField? JsonSchema { get; init; }
}

internal sealed record JsonSchemaField
{
    public string? Name { get; init; }

    public JsonElement? Schema { get; init; }
}

internal sealed record ThinkingField
{
    public string? Type { get; init; }
}

internal sealed record TemplateFields
{
    public bool? Thinking { get; init; }

    public bool? EnableThinking { get; init; }
}
