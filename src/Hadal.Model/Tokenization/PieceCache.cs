namespace Hadal.Model.Tokenization;

/// <summary>
/// Remembers the ids of short pieces. A bounded number of slots, each holding the latest piece that fell into it; readers and writers need no lock
/// because an entry never changes after it is published and a slot is replaced whole.
/// </summary>
internal sealed class PieceCache
{
    /// <summary>The longest piece kept, in UTF-16 units.</summary>
    internal const int LongestPiece = 24;

    private const int FirstSlots = 1 << 9;
    private const int MostSlots = 1 << 15;

    // Different in every process, so that no text can be made to collide.
    private static readonly ulong _seed = (ulong)Random.Shared.NextInt64();

    private Entry?[] _entries = new Entry?[FirstSlots];

    // Pieces filed since the slots last grew. Threads may lose counts to each other, which only delays growing.
    private int _filed;

    /// <summary>Looks a piece up.</summary>
    /// <param name="piece">At most <see cref="LongestPiece"/> units.</param>
    /// <param name="hash">What <see cref="Add"/> needs to file the piece when it is not there.</param>
    /// <param name="ids">Its ids.</param>
    internal bool TryGet(ReadOnlySpan<char> piece, out uint hash, out ReadOnlySpan<int> ids)
    {
        hash = Hash(piece);
        Entry?[] entries = _entries;
        Entry? entry = entries[hash & (uint)(entries.Length - 1)];
        if (entry is not null && entry.Hash == hash && piece.SequenceEqual(entry.Piece))
        {
            ids = entry.Ids;
            return true;
        }

        ids = default;
        return false;
    }

    /// <summary>Files the ids of a piece.</summary>
    internal void Add(ReadOnlySpan<char> piece, uint hash, ReadOnlySpan<int> ids)
    {
        Entry?[] entries = _entries;
        if (++_filed > entries.Length && entries.Length < MostSlots)
        {
            _filed = 0;
            Entry?[] larger = new Entry?[entries.Length * 4];
            foreach (Entry? entry in entries)
                if (entry is not null) larger[entry.Hash & (uint)(larger.Length - 1)] = entry;
            _entries = entries = larger;
        }

        entries[hash & (uint)(entries.Length - 1)] = new Entry(hash, piece.ToString(), ids.ToArray());
    }

    private static uint Hash(ReadOnlySpan<char> piece)
    {
        ulong hash = _seed ^ (uint)piece.Length;
        foreach (char c in piece) hash = (hash ^ c) * 0x9E3779B97F4A7C15;
        return (uint)(hash >> 32);
    }

    private sealed record Entry(uint Hash, string Piece, int[] Ids);
}
