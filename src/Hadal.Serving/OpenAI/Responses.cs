using System.Text.Json.Serialization;

namespace Hadal.Serving.OpenAI;

/// <summary>Answer of <c>/v1/chat/completions</c>, whole.</summary>
internal sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "chat.completion";
}

internal sealed record ChatChoice(int Index, AssistantMessage Message, string? FinishReason)
{
    public LogprobsField? Logprobs { get; init; }

    /// <summary>The stop string that ended the text.</summary>
    public string? StopReason { get; init; }
}

internal sealed record AssistantMessage
{
    public string Role { get; } = "assistant";

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Content { get; init; }

    public string? ReasoningContent { get; init; }

    public IReadOnlyList<ToolCallPart>? ToolCalls { get; init; }
}

/// <summary>A piece of a streamed chat answer.</summary>
internal sealed record ChatChunk(string Id, long Created, string Model, IReadOnlyList<ChunkChoice> Choices)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "chat.completion.chunk";

    public Usage? Usage { get; init; }

    /// <summary>Hadal's own, in chunks without choices and only where expert counts were asked for.</summary>
    public AnswerProgress? Progress { get; init; }
}

/// <summary>How far an answer is.</summary>
/// <param name="CompletionTokens">Tokens so far.</param>
/// <param name="ExpertCounts">As in <see cref="Usage.ExpertCounts"/>, so far.</param>
internal sealed record AnswerProgress(int CompletionTokens, IReadOnlyList<int> ExpertCounts);

internal sealed record ChunkChoice(int Index, Delta Delta)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }

    public LogprobsField? Logprobs { get; init; }
}

internal sealed record Delta
{
    public string? Role { get; init; }

    public string? Content { get; init; }

    public string? ReasoningContent { get; init; }

    public IReadOnlyList<ToolCallPart>? ToolCalls { get; init; }
}

internal sealed record ToolCallPart
{
    /// <summary>Which call a piece belongs to; only in streams.</summary>
    public int? Index { get; init; }

    public string? Id { get; init; }

    public string? Type { get; init; }

    public FunctionPart? Function { get; init; }
}

internal sealed record FunctionPart
{
    public string? Name { get; init; }

    public string? Arguments { get; init; }
}

internal sealed record LogprobsField
{
    public IReadOnlyList<TokenLogprob>? Content { get; init; }
}

internal sealed record TokenLogprob(string Token, float Logprob, IReadOnlyList<int> Bytes)
{
    public IReadOnlyList<TokenLogprob>? TopLogprobs { get; init; }
}

/// <summary>Answer of <c>/v1/completions</c>, whole or a piece of it.</summary>
internal sealed record Completion(string Id, long Created, string Model, IReadOnlyList<CompletionChoice> Choices)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "text_completion";

    public Usage? Usage { get; init; }
}

internal sealed record CompletionChoice(int Index, string Text)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }

    public CompletionLogprobs? Logprobs { get; init; }
}

internal sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<float> TokenLogprobs, IReadOnlyList<Dictionary<string, float>> TopLogprobs, IReadOnlyList<int> TextOffset);

internal sealed record Usage(int PromptTokens, int CompletionTokens)
{
    public int TotalTokens => PromptTokens + CompletionTokens;

    public PromptDetails? PromptTokensDetails { get; init; }

    public CompletionDetails? CompletionTokensDetails { get; init; }

    /// <summary>How often each expert was chosen, layer after layer, if it was asked for.</summary>
    public IReadOnlyList<int>? ExpertCounts { get; init; }
}

/// <param name="CachedTokens">Tokens of the prompt that had been computed before.</param>
internal sealed record PromptDetails(int CachedTokens);

internal sealed record CompletionDetails(int ReasoningTokens, long AcceptedPredictionTokens, long RejectedPredictionTokens);

internal sealed record ErrorBody(ErrorField Error);

internal sealed record ErrorField(string Message, string Type)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Param { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Code { get; init; }
}
