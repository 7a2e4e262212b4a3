namespace Hadal.Data.Exports;

/// <summary>A document as it is written.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Text">Its text.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Language">Its language, null if unknown.</param>
/// <param name="Extra">Further fields by name, written in this order after the others; null for none. In Parquet the names must all have occurred within the first row group.</param>
public sealed record ExportDocument(string Id, string Text, string Source, string? Language, IReadOnlyList<KeyValuePair<string, string>>? Extra = null);
