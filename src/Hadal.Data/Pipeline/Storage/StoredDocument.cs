using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>A document between two stages.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Source">Where it is from.</param>
/// <param name="Language">Its language, empty where nothing is known.</param>
/// <param name="Text">The text.</param>
/// <param name="Original">Hash of the text as it was read.</param>
internal sealed record StoredDocument(string Id, string Source, string Language, string Text, ulong Original)
{
    /// <summary>XXH3 over the UTF-16 code units.</summary>
    public static ulong HashOf(string text) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.AsSpan()));

    /// <summary>XXH128 over the UTF-16 code units.</summary>
    public static UInt128 WideHashOf(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()));
}
