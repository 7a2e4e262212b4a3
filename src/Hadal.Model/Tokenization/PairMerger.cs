using System.Buffers;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Byte-pair merging of one piece: again and again the adjacent pair of lowest rank, leftmost among equals, becomes one token, until no pair is a merge.
/// </summary>
internal sealed class PairMerger(MergeTable merges)
{
    /// <summary>Up to this many tokens a scan for the lowest rank is faster than a heap.</summary>
    private const int ScanLimit = 64;

    /// <summary>Merges in place.</summary>
    /// <param name="ids">The ids of single bytes on entry, the merged tokens at the front on return.</param>
    /// <returns>How many tokens are left.</returns>
    internal int Merge(Span<int> ids) => ids.Length < 2 ? ids.Length : ids.Length <= ScanLimit ? MergeByScan(ids) : MergeByHeap(ids);

    internal int MergeByScan(Span<int> ids)
    {
        int count = ids.Length;
        Span<int> ranks = count <= ScanLimit ? stackalloc int[ScanLimit] : new int[count];
        for (int i = 0; i + 1 < count; i++) ranks[i] = merges.RankOf(ids[i], ids[i + 1]);
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i < count - 1; i++)
                if (ranks[i] < ranks[best]) best = i;
            if (ranks[best] == MergeTable.NoRank) break;

            merges.RankOf(ids[best], ids[best + 1], out ids[best]);
            count--;
            ids[(best + 2)..(count + 1)].CopyTo(ids[(best + 1)..]);
            if (best + 1 < count)
            {
                ranks[(best + 1)..count].CopyTo(ranks[best..]);
                ranks[best] = merges.RankOf(ids[best], ids[best + 1]);
            }

            if (best > 0) ranks[best - 1] = merges.RankOf(ids[best - 1], ids[best]);
        }

        return count;
    }

    /// <summary>The same with a heap of candidate pairs over a linked list: n log n, for pieces without bound.</summary>
    internal int MergeByHeap(Span<int> ids)
    {
        int length = ids.Length;
        int[] links = ArrayPool<int>.Shared.Rent(checked(length * 2));
        Span<int> previous = links.AsSpan(0, length);
        Span<int> next = links.AsSpan(length, length);
        PairHeap heap = new(length);
        for (int i = 0; i < length; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1;
            if (i + 1 < length) heap.Collect(merges.RankOf(ids[i], ids[i + 1]), i);
        }

        heap.Order();
        while (heap.TryTake(out int rank, out int at))
        {
            // A rank names one pair, so a candidate is out of date exactly when the pair at its place has another rank now.
            int right = next[at];
            if (ids[at] < 0 || right >= length || merges.RankOf(ids[at], ids[right], out int joined) != rank) continue;
            ids[at] = joined;
            ids[right] = -1;
            int after = next[right];
            next[at] = after;
            if (after < length)
            {
                previous[after] = at;
                heap.Add(merges.RankOf(joined, ids[after]), at);
            }

            int before = previous[at];
            if (before >= 0) heap.Add(merges.RankOf(ids[before], joined), before);
        }

        int count = 0;
        for (int i = 0; i < length; i = next[i]) ids[count++] = ids[i];
        heap.Dispose();
        ArrayPool<int>.Shared.Return(links);
        return count;
    }

    /// <summary>A binary heap of (rank, place), lowest rank first, then leftmost.</summary>
    private struct PairHeap(int capacity) : IDisposable
    {
        private ulong[] _items = ArrayPool<ulong>.Shared.Rent(capacity);
        private int _count;

        /// <summary>Adds without keeping order; <see cref="Order"/> must follow.</summary>
        internal void Collect(int rank, int place)
        {
            if (rank != MergeTable.NoRank) _items[_count++] = (ulong)(uint)rank << 32 | (uint)place;
        }

        internal void Order()
        {
            for (int i = _count / 2 - 1; i >= 0; i--) SiftDown(i, _items[i]);
        }

        internal void Add(int rank, int place)
        {
            if (rank == MergeTable.NoRank) return;
            if (_count == _items.Length) Grow();
            ulong item = (ulong)(uint)rank << 32 | (uint)place;
            int hole = _count++;
            while (hole > 0)
            {
                int parent = hole - 1 >> 1;
                if (_items[parent] <= item) break;
                _items[hole] = _items[parent];
                hole = parent;
            }

            _items[hole] = item;
        }

        internal bool TryTake(out int rank, out int place)
        {
            if (_count == 0)
            {
                rank = place = 0;
                return false;
            }

            ulong item = _items[0];
            (rank, place) = ((int)(item >> 32), (int)(uint)item);
            ulong last = _items[--_count];
            if (_count > 0) SiftDown(0, last);
            return true;
        }

        public readonly void Dispose() => ArrayPool<ulong>.Shared.Return(_items);

        private readonly void SiftDown(int hole, ulong item)
        {
            while (true)
            {
                int child = 2 * hole + 1;
                if (child >= _count) break;
                if (child + 1 < _count && _items[child + 1] < _items[child]) child++;
                if (_items[child] >= item) break;
                _items[hole] = _items[child];
                hole = child;
            }

            _items[hole] = item;
        }

        private void Grow()
        {
            ulong[] larger = ArrayPool<ulong>.Shared.Rent(checked(_items.Length * 2));
            _items.AsSpan(0, _count).CopyTo(larger);
            ArrayPool<ulong>.Shared.Return(_items);
            _items = larger;
        }
    }
}
