namespace Hadal.Model.Chat;

/// <summary>What an <see cref="AnswerParser"/> takes apart.</summary>
public sealed record AnswerParserOptions
{
    /// <summary>Tells thoughts from the answer; otherwise both are content, with the markers between them.</summary>
    public bool Reasoning { get; init; } = true;

    /// <summary>Finds tool calls; otherwise they are content as the model wrote them. Null: if the conversation has tools.</summary>
    public bool? ToolCalls { get; init; }
}
