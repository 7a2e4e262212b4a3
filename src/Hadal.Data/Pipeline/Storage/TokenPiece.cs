namespace Hadal.Data.Pipeline.Storage;

/// <summary>A piece of a document, encoded, that will lie in one row. Ascending order is: by group, then at random.</summary>
/// <param name="Leading">The group in the upper 16 bits, a hash below.</param>
/// <param name="Document">Which document.</param>
/// <param name="At">First token in the file of the run.</param>
/// <param name="Epoch">Which repetition of the document.</param>
/// <param name="Offset">First token, counted in the document.</param>
/// <param name="Length">Tokens.</param>
/// <param name="Run">Which of its part's files of tokens.</param>
internal readonly record struct TokenPiece(ulong Leading, DocumentReference Document, long At, int Epoch, int Offset, int Length, int Run) : IRecord<TokenPiece>
{
    private const int HashBits = 48;

    public int Group => (int)(Leading >> HashBits);

    public static ulong LeadingOf(int group, ulong hash) => ((ulong)(uint)group << HashBits) | (hash >> (64 - HashBits));

    /// <summary>The leading keys of one of several equal ranges of a group, both ends included.</summary>
    public static (ulong From, ulong Last) RangeOf(int group, int range, int ranges)
    {
        ulong low = (ulong)group << HashBits;
        return (low + (ulong)(((UInt128)(uint)range << HashBits) / (uint)ranges), low + (ulong)(((UInt128)(uint)(range + 1) << HashBits) / (uint)ranges) - 1);
    }

    public int CompareTo(TokenPiece other)
    {
        int order = Leading.CompareTo(other.Leading);
        if (order == 0) order = Document.CompareTo(other.Document);
        if (order == 0) order = Epoch.CompareTo(other.Epoch);
        return order == 0 ? Offset.CompareTo(other.Offset) : order;
    }
}
