namespace Hadal.Data.Deduplication;

/// <summary>In which way a document is a copy.</summary>
internal enum CopyRule
{
    /// <summary>It is none.</summary>
    None,

    /// <summary>The same text as it was read.</summary>
    Exact,

    /// <summary>The same text in its normal form.</summary>
    Normalized,

    /// <summary>Nearly the same text.</summary>
    Near,
}
