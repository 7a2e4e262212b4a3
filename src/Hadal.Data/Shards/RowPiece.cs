namespace Hadal.Data.Shards;

/// <summary>Part of a document in a row of tokens.</summary>
/// <param name="Document">Number of the document, as <see cref="TokenShardWriter.AddDocument"/> gave it.</param>
/// <param name="Epoch">Which repetition of the document this is, from 0 (≥ 0).</param>
/// <param name="Offset">Its first token, counted in the document (≥ 0).</param>
/// <param name="Start">Its first place in the row; pieces follow each other without a gap, so that of the first is 0.</param>
/// <param name="Length">Its tokens, the document's end token among them (≥ 1).</param>
public readonly record struct RowPiece(long Document, int Epoch, int Offset, int Start, int Length);
