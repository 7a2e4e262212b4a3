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

    /// <summary>
    /// Parquet: columns of strings named <c>id</c>, <c>text</c>, <c>source</c> and <c>language</c> (which may be missing), then one for each further field; row groups of about 64 MiB,
    /// pages of about 1 MiB packed with Zstandard, each with a checksum.
    /// </summary>
    Parquet,
}
