namespace Hadal.Data.Sources;

/// <summary>One document as its file gives it, before any cleaning.</summary>
/// <param name="Id">Its own name where the file gives one, else its <paramref name="Place"/>. Files may repeat names.</param>
/// <param name="Text">The text: valid UTF-16 without a byte order mark, otherwise as the file has it; may be empty.</param>
/// <param name="Source">Where it comes from: the record's own field, else what the options say, else the file's <see cref="InputFile.Id"/>.</param>
/// <param name="Language">Its language as the record, the options or the ending of a source file (<c>code:python</c>) says; null if nothing does.</param>
/// <param name="Place">Where it is: <c>file:line</c>, lines from 1; <c>file#record</c> where there are no lines, records from 0; the file alone for a whole file.</param>
public sealed record SourceDocument(string Id, string Text, string Source, string? Language, string Place);
