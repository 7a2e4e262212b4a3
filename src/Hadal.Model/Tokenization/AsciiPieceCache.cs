using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Hadal.Model.Tokenization;

/// <summary>The ids of ASCII pieces of up to 16 characters and 3 ids, by their bytes. Bounded; not thread-safe: one per encoding in progress.</summary>
internal sealed class AsciiPieceCache
{
    /// <summary>The longest piece kept.</summary>
    internal const int LongestPiece = 16;

    /// <summary>The most ids of a piece kept.</summary>
    internal const int MostIds = 3;

    private const int FirstSlots = 1 << 10;
    private const int MostSlots = 1 << 16;

    // Odd and different in every process, so that no text can be made to collide.
    private static readonly ulong _first = (ulong)Random.Shared.NextInt64() << 1 | 1;
    private static readonly ulong _second = (ulong)Random.Shared.NextInt64() << 1 | 1;

    private Entry[] _entries = new Entry[FirstSlots];
    private int _filed;

    /// <summary>Looks a piece up and writes four integers at the destination, of which as many count as the result says; 0 when the piece is not here.</summary>
    /// <param name="piece">The bytes of the piece, none of them 0, and zeros behind.</param>
    /// <param name="destination">Room for four integers.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Find(Vector128<byte> piece, ref int destination)
    {
        Entry[] entries = _entries;
        ref Entry entry = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(entries), (nint)Slot(piece, entries.Length));
        entry.Ids.StoreUnsafe(ref destination);
        return entry.Piece == piece ? entry.Ids.GetElement(MostIds) : 0;
    }

    /// <summary>Files the ids of a piece.</summary>
    internal void Add(Vector128<byte> piece, ReadOnlySpan<int> ids)
    {
        if (ids.Length is 0 or > MostIds) return;
        if (++_filed > _entries.Length && _entries.Length < MostSlots) Grow();
        Vector128<int> packed = Vector128.Create(ids[0], ids.Length > 1 ? ids[1] : 0, ids.Length > 2 ? ids[2] : 0, ids.Length);
        _entries[Slot(piece, _entries.Length)] = new Entry { Piece = piece, Ids = packed };
    }

    private void Grow()
    {
        _filed = 0;
        Entry[] larger = new Entry[_entries.Length * 4];
        foreach (Entry entry in _entries)
            if (entry.Ids.GetElement(MostIds) > 0) larger[Slot(entry.Piece, larger.Length)] = entry;
        _entries = larger;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Slot(Vector128<byte> piece, int slots)
    {
        Vector128<ulong> words = piece.AsUInt64();
        ulong hash = (words.GetElement(0) ^ words.GetElement(1) * _second) * _first;
        return (int)(hash >> 40) & slots - 1;
    }

    // The pieces' ids and, last, how many there are: 0 in an empty slot.
    private struct Entry
    {
        internal Vector128<byte> Piece;
        internal Vector128<int> Ids;
    }
}
