namespace Hadal.Model.Chat;

/// <summary>A conversation and how the assistant is to go on with it: what a template makes a prompt of.</summary>
/// <param name="Messages">What was said so far, in order; it may be empty.</param>
public sealed record ChatConversation(IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>The functions that the assistant may call; empty for none.</summary>
    public IReadOnlyList<ChatTool> Tools { get; init; } = [];

    /// <summary>
    /// Whether the assistant thinks before it answers; null for what the template does by itself. Only a template with a switch
    /// (<see cref="ChatTemplate.CanSwitchThinking"/>) heeds it: the others always think or never do.
    /// </summary>
    public bool? Thinking { get; init; }

    /// <summary>Ends the prompt where the assistant's next message begins. Of no effect with <see cref="ContinueLastMessage"/>.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>
    /// Leaves the last message, which must be the assistant's and without calls, open, so that the answer goes on where it stops (prefix completion).
    /// </summary>
    public bool ContinueLastMessage { get; init; }
}
