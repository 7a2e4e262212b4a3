namespace Hadal.Data.Sources;

/// <summary>What becomes of a record whose text is no valid Unicode (bytes that are not UTF-8, an escaped half of a surrogate pair).</summary>
public enum InvalidText
{
    /// <summary>The record is left out and reported.</summary>
    Skip,

    /// <summary>What is invalid becomes U+FFFD; the record is kept and reported.</summary>
    Replace,
}
