namespace Hadal.Data.Exports;

/// <summary>How documents are written.</summary>
public enum DocumentFormat
{
    /// <summary>One JSON object a line.</summary>
    JsonLines,

    /// <summary>The same, packed with gzip.</summary>
    JsonLinesGzip,

    /// <summary>The same, packed with Zstandard.</summary>
    JsonLinesZstandard,
}
