namespace Hadal.Data.Sources.Columnar;

/// <summary>Where the values of one column in one row group are, as the footer says; nothing of it is checked yet but that it lies inside the file.</summary>
/// <param name="Column">The column.</param>
/// <param name="Codec">How its pages are packed.</param>
/// <param name="Values">How many values it has, missing ones included.</param>
/// <param name="Offset">Where its first page begins.</param>
/// <param name="End">Where its pages must have ended: the end of the file's data, since old writers count too few bytes for a chunk.</param>
internal sealed record ColumnChunk(TableColumn Column, int Codec, long Values, long Offset, long End);
