namespace Hadal.Model.Tokenization;

/// <summary>
/// Remembers the ids of short pieces. A fixed number of slots, each holding the latest piece that fell into it; readers and writers need no lock
/// because an entry never changes after it is published and a slot is replaced whole.
/// </summary>
internal sealed class PieceCache
{
    /// <summary>The longest piece kept, in UTF-16 units.</summary>
    internal const int LongestPiece = 24;

    private const int Slots = 1 << 15;

    // Different in every process, so that no text can be made to collide.
    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64();

    private Entry?[]? _entries;

    /// <summary>Looks a piece up.</summary>
    /// <param name="piece">At most <see cref="LongestPiece"/> units.</param>
    /// <param name="hash">What <see cref="Add"/> needs to file the piece when it is not there.</param>
    /// <param name="ids">Its ids.</param>
    internal bool TryGet(ReadOnlySpan<char> piece, out uint hash, out ReadOnlySpan<int> ids)
    {
        hash = Hash(piece);
        Entry? entry = (_entries ??= new Entry?[Slots])[hash & (Slots - 1)];
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
        => (_entries ??= new Entry?[Slots])[hash & (Slots - 1)] = new Entry(hash, piece.ToString(), ids.ToArray());

    private static uint Hash(ReadOnlySpan<char> piece)
    {
        ulong hash = Seed ^ (uint)piece.Length;
        foreach (char c in piece) hash = (hash ^ c) * 0x9E3779B97F4A7C15;
        return (uint)(hash >> 32);
    }

    private sealed record Entry(uint Hash, string Piece, int[] Ids);
}
