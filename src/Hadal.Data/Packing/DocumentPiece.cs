namespace Hadal.Data.Packing;

/// <summary>Part of a document that lies in one row.</summary>
/// <param name="Offset">Its first token, counted in the document.</param>
/// <param name="Length">Its tokens; at least 1.</param>
public readonly record struct DocumentPiece(int Offset, int Length);
