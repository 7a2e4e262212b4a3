namespace Hadal.Data;

/// <summary>Text that cannot be used: the message is one sentence that says what is wrong, where, and what would be right.</summary>
public sealed class DataException : Exception
{
    /// <summary>An error that belongs to no particular file.</summary>
    /// <param name="message">One sentence for a person.</param>
    public DataException(string message)
        : base(message)
    {
    }

    /// <summary>An error in a file or directory.</summary>
    /// <param name="message">One sentence for a person; it names <paramref name="path"/>.</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="inner">What the platform said, if anything.</param>
    public DataException(string message, string path, Exception? inner = null)
        : base(message, inner) => Path = path;

    /// <summary>The file or directory, where there is one.</summary>
    public string? Path { get; }
}
