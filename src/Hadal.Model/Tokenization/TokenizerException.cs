namespace Hadal.Model.Tokenization;

/// <summary>
/// A tokenizer file that cannot be used, or ids and messages that do not belong to the loaded tokenizer. The message is one sentence that says
/// what is wrong, where, and what would be right.
/// </summary>
public sealed class TokenizerException : Exception
{
    /// <summary>Describes a fault of a tokenizer file.</summary>
    /// <param name="path">The file (or the name given for errors) at fault; null when no file is at fault.</param>
    /// <param name="field">The place inside the file, as a path such as <c>model.vocab</c>; null when the whole file is meant.</param>
    /// <param name="message">What is wrong and what would be right, without path and field.</param>
    /// <param name="inner">The fault that led here, if any.</param>
    public TokenizerException(string? path, string? field, string message, Exception? inner = null)
        : base(Compose(path, field, message), inner)
    {
        Path = path;
        Field = field;
    }

    /// <summary>Describes a fault that no file is to blame for, such as an id outside the vocabulary.</summary>
    /// <param name="message">What is wrong and what would be right.</param>
    public TokenizerException(string message)
        : this(null, null, message)
    {
    }

    /// <summary>The file at fault, or null.</summary>
    public string? Path { get; }

    /// <summary>The place inside the file, or null.</summary>
    public string? Field { get; }

    private static string Compose(string? path, string? field, string message)
        => (path, field) switch
        {
            (null, null) => message,
            (null, _) => $"{field}: {message}",
            (_, null) => $"{path}: {message}",
            _ => $"{path}: {field}: {message}",
        };
}
