namespace Hadal.Data.Packing;

/// <summary>How a document that is longer than a row is cut: into full rows and a rest.</summary>
public static class DocumentPieces
{
    /// <summary>Cuts a document; one that fits into a row stays whole.</summary>
    /// <param name="length">Tokens of the document, its end token among them (≥ 0).</param>
    /// <param name="capacity">L, tokens that fit into a row (≥ 1).</param>
    /// <returns>⌈length / capacity⌉ pieces in the order of the document, all but the last of them of <paramref name="capacity"/> tokens; none for an empty document.</returns>
    public static IEnumerable<DocumentPiece> Cut(int length, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        return Pieces();

        IEnumerable<DocumentPiece> Pieces()
        {
            for (int offset = 0; offset < length;)
            {
                var piece = new DocumentPiece(offset, Math.Min(capacity, length - offset));
                yield return piece;
                offset += piece.Length;
            }
        }
    }
}
