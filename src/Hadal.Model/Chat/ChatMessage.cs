namespace Hadal.Model.Chat;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">What is said; null only where an assistant message has tool calls instead.</param>
/// <param name="ToolCalls">The calls an assistant message makes; null when it has no such field.</param>
public sealed record ChatMessage(string Role, string? Content, IReadOnlyList<ChatToolCall>? ToolCalls = null);
