namespace Hadal.Data.Sources;

/// <summary>How the bytes of an input are packed.</summary>
public enum InputPacking
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>gzip (RFC 1952), one member or several.</summary>
    Gzip,

    /// <summary>Zstandard (RFC 8878), one frame or several.</summary>
    Zstandard,

    /// <summary>Brotli (RFC 7932).</summary>
    Brotli,
}
