namespace Hadal.Serving.Chat;

/// <summary>A conversation, a text to be embedded or an option that the model cannot answer as it stands.</summary>
public sealed class ChatRequestException : Exception
{
    /// <summary>An exception.</summary>
    /// <param name="message">What is wrong, and what would be right.</param>
    /// <param name="field">What is to blame, by its name in OpenAI's API (for instance <c>messages[0].content</c>); null if nothing single is.</param>
    /// <param name="code">A short name of the case, for programs; null for none.</param>
    /// <param name="inner">Where it comes from; null for here.</param>
    public ChatRequestException(string message, string? field = null, string? code = null, Exception? inner = null)
        : base(message, inner) => (Field, Code) = (field, code);

    /// <summary>What is to blame, by its name in OpenAI's API; null if nothing single is.</summary>
    public string? Field { get; }

    /// <summary>A short name of the case, for programs; null for none.</summary>
    public string? Code { get; }
}
