namespace Hadal.Data.Sources.Columnar;

/// <summary>Rows that are stored together.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Chunks">The chunks of the wanted columns, in their order; null where the group has none of a column.</param>
/// <param name="Problem">Why the group cannot be read, as a part of a sentence; null if nothing speaks against it.</param>
internal sealed record RowGroup(long Rows, ColumnChunk?[] Chunks, string? Problem);
