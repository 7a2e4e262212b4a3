namespace Hadal.Data.Sources.Files;

/// <summary>How a file is read.</summary>
internal enum FileKind
{
    /// <summary>The whole file is one text.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    JsonLines,

    /// <summary>The same, compressed with gzip.</summary>
    JsonLinesGzip,
}

/// <summary>A file to be read.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Id">Its name in document identifiers: the path below the directory that was given, with forward slashes.</param>
/// <param name="Kind">How it is read.</param>
/// <param name="Named">Whether a person named this very file, so that leaving it out would be wrong.</param>
internal sealed record FoundFile(string Path, string Id, FileKind Kind, bool Named);
