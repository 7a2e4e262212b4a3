namespace Hadal.Data.Sources.WebArchives;

/// <summary>A text or page out of a web archive.</summary>
/// <param name="Uri">Where it was.</param>
/// <param name="IsHtml">Whether it is HTML, else plain text.</param>
/// <param name="Charset">The encoding that the server named, or null.</param>
/// <param name="Body">Its bytes, free of what HTTP packs them in; valid until the next record is read.</param>
/// <param name="Offset">Where its record (or the packed member that holds it) begins in the file.</param>
/// <param name="Repair">What is not as the server sent it, as a part of a sentence; null if nothing.</param>
internal sealed record ArchivedPage(string Uri, bool IsHtml, string? Charset, ReadOnlyMemory<byte> Body, long Offset, string? Repair);
