using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Model.Chat;

namespace Hadal.Serving.Answering;

/// <summary>A conversation to be answered, and what the answer has to be like.</summary>
internal sealed record ChatTurn
{
    public required ChatConversation Conversation { get; init; }

    /// <summary>Everything but the prompt.</summary>
    public required EngineRequest Generation { get; init; }

    public AnswerShape Shape { get; init; } = AnswerShape.Free;

    /// <summary>The schema of <see cref="AnswerShape.Schema"/>.</summary>
    public JsonElement? Schema { get; init; }

    public ToolChoice ToolChoice { get; init; } = ToolChoice.Auto;

    /// <summary>The function that has to be called; only with <see cref="ToolChoice.Required"/>, null for any.</summary>
    public string? ToolName { get; init; }

    public bool ParallelCalls { get; init; } = true;
}

/// <summary>What the answer's text may be.</summary>
internal enum AnswerShape
{
    Free,

    /// <summary>A JSON object.</summary>
    Json,

    /// <summary>JSON that a schema describes.</summary>
    Schema,
}

/// <summary>Whether functions are called.</summary>
internal enum ToolChoice
{
    Auto,
    None,
    Required,
}
