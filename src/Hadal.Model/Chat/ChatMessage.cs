namespace Hadal.Model.Chat;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>. Messages of other roles are passed over, as the published templates do.</param>
/// <param name="Content">What is said; null only where an assistant message has tool calls instead.</param>
/// <param name="ToolCalls">The calls an assistant message makes; null when it has no such field.</param>
public sealed record ChatMessage(string Role, string? Content, IReadOnlyList<ChatToolCall>? ToolCalls = null)
{
    /// <summary>What the assistant thought before it answered. No template of the family shows earlier thoughts to the model, so none renders it.</summary>
    public string? Reasoning { get; init; }

    /// <summary>Which call a message of the role <c>tool</c> answers. The templates tell results by their order alone, so none renders it.</summary>
    public string? ToolCallId { get; init; }
}
