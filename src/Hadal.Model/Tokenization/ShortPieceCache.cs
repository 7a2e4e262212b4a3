using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Hadal.Model.Tokenization;

/// <summary>The ids of texts of up to 4 UTF-16 units and 4 ids, by their units. Bounded; not thread-safe: one per encoding in progress.</summary>
internal sealed class ShortPieceCache
{
    /// <summary>The longest text kept, in UTF-16 units.</summary>
    internal const int LongestText = 4;

    /// <summary>The most ids of a text kept.</summary>
    internal const int MostIds = 4;

    private const int FirstSlots = 1 << 10;
    private const int MostSlots = 1 << 15;

    // Odd and different in every process, so that no text can be made to collide.
    private static readonly ulong _multiplier = (ulong)Random.Shared.NextInt64() << 1 | 1;

    private Entry[] _entries = new Entry[FirstSlots];
    private int _filed;

    /// <summary>The units of a text as one number, the first one lowest; 0 when the text is too long or ends in U+0000, and has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong KeyOf(ReadOnlySpan<char> text)
    {
        if (text.Length > LongestText || text[^1] == 0) return 0;
        ulong key = text[0];
        if (text.Length > 1) key |= (ulong)text[1] << 16;
        if (text.Length > 2) key |= (ulong)text[2] << 32;
        if (text.Length > 3) key |= (ulong)text[3] << 48;
        return key;
    }

    /// <summary>Looks a text up and writes four integers at the destination, of which as many count as the result says; 0 when the text is not here.</summary>
    /// <param name="key">What <see cref="KeyOf"/> says; not 0.</param>
    /// <param name="destination">Room for four integers.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Find(ulong key, ref int destination)
    {
        Entry[] entries = _entries;
        ref Entry entry = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(entries), (nint)Slot(key, entries.Length));
        entry.Ids.StoreUnsafe(ref destination);
        return entry.Key == key ? entry.Count : 0;
    }

    /// <summary>Files the ids of a text.</summary>
    internal void Add(ulong key, ReadOnlySpan<int> ids)
    {
        if (ids.Length is 0 or > MostIds) return;
        if (++_filed > _entries.Length && _entries.Length < MostSlots) Grow();
        Vector128<int> packed = Vector128.Create(ids[0], ids.Length > 1 ? ids[1] : 0, ids.Length > 2 ? ids[2] : 0, ids.Length > 3 ? ids[3] : 0);
        _entries[Slot(key, _entries.Length)] = new Entry { Key = key, Ids = packed, Count = ids.Length };
    }

    private void Grow()
    {
        _filed = 0;
        Entry[] larger = new Entry[_entries.Length * 4];
        foreach (Entry entry in _entries)
            if (entry.Count > 0) larger[Slot(entry.Key, larger.Length)] = entry;
        _entries = larger;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Slot(ulong key, int slots) => (int)(key * _multiplier >> 40) & slots - 1;

    // An empty slot has the count 0.
    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Entry
    {
        internal ulong Key;
        internal Vector128<int> Ids;
        internal int Count;
    }
}
