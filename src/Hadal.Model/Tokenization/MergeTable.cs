using System.Numerics;

namespace Hadal.Model.Tokenization;

/// <summary>
/// The merges of a vocabulary: a pair of adjacent token ids to its rank and to the id of the joined token. An open-addressing table, because one
/// lookup per adjacent pair is what encoding spends its time on.
/// </summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that is not to be merged.</summary>
    internal const int NoRank = int.MaxValue;

    // Odd and different in every process, so that no file can be made to collide.
    private static readonly ulong _multiplier = (ulong)Random.Shared.NextInt64() << 1 | 1;

    private readonly Slot[] _slots;
    private readonly int _shift;

    internal MergeTable(int count)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, count * 2L));
        _slots = new Slot[size];
        _slots.AsSpan().Fill(new Slot { Rank = NoRank });
        _shift = 64 - BitOperations.TrailingZeroCount(size);
    }

    /// <summary>Adds a merge; of two for the same pair the later one holds, as in the reference.</summary>
    internal void Add(int left, int right, int rank, int joined)
    {
        ref Slot slot = ref Find(Key(left, right));
        slot = new Slot { Pair = Key(left, right), Rank = rank, Joined = joined };
    }

    /// <summary>The rank of a pair, <see cref="NoRank"/> when it is not a merge.</summary>
    internal int RankOf(int left, int right) => Find(Key(left, right)).Rank;

    /// <summary>The rank and the joined token of a pair.</summary>
    internal int RankOf(int left, int right, out int joined)
    {
        ref Slot slot = ref Find(Key(left, right));
        joined = slot.Joined;
        return slot.Rank;
    }

    /// <summary>All merges, in no particular order.</summary>
    internal IEnumerable<(int Left, int Right, int Rank, int Joined)> All()
    {
        foreach (Slot slot in _slots)
            if (slot.Rank != NoRank) yield return ((int)(slot.Pair >> 32), (int)(uint)slot.Pair, slot.Rank, slot.Joined);
    }

    private static ulong Key(int left, int right) => (ulong)(uint)left << 32 | (uint)right;

    private ref Slot Find(ulong pair)
    {
        Slot[] slots = _slots;
        int index = (int)(pair * _multiplier >> _shift);
        while (true)
        {
            ref Slot slot = ref slots[index];
            if (slot.Pair == pair || slot.Rank == NoRank) return ref slot;
            index = index + 1 & slots.Length - 1;
        }
    }

    private struct Slot
    {
        internal ulong Pair;
        internal int Rank;
        internal int Joined;
    }
}
