namespace Hadal.Data.Sources;

/// <summary>What <see cref="TextFiles"/> reads and how it cuts.</summary>
public sealed record TextFilesOptions
{
    /// <summary>Endings of the files that are read from a directory as one text each, with the dot, lower case. A file named directly is read whatever its ending.</summary>
    public IReadOnlyList<string> TextExtensions { get; init; } = [".txt", ".md"];

    /// <summary>
    /// A longer text file is cut into documents of about this many characters, at a line end where there is one; 1,048,576 by default. It bounds the memory that
    /// reading takes.
    /// </summary>
    public int MaximumDocumentCharacters { get; init; } = 1 << 20;

    /// <summary>A longer JSON line counts as bad; 64 MiB by default.</summary>
    public int MaximumLineBytes { get; init; } = 64 << 20;

    /// <summary>The field of a JSON line that holds the text.</summary>
    public string TextField { get; init; } = "text";
}
