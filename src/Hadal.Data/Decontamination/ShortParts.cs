namespace Hadal.Data.Decontamination;

/// <summary>Parts that are shorter than a window, found as wholes: by the hash of their last words, then by all of them.</summary>
internal sealed class ShortParts
{
    /// <summary>Words whose hash leads to the candidates.</summary>
    public const int Anchor = 4;

    // A short text that several items have is a turn of phrase ("Which of these is true?").
    private const int MostHolders = 2;
    private readonly Dictionary<ulong, List<(int Part, ulong[] Words)>> _byAnchor = [];
    private ulong[] _filter = new ulong[1024];

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Takes all short parts; those with the same words as others are kept for the first, and left out if too many have them.</summary>
    public void Fill(IEnumerable<(int Part, ulong[] Words)> parts)
    {
        foreach (var group in parts.GroupBy(p => p.Words, new SameWords()))
        {
            if (group.Count() > MostHolders) continue;
            var (part, words) = group.First();
            var window = new WindowHash(Anchor);
            foreach (ulong word in words.AsSpan(words.Length - Anchor)) window.Move(0, word);
            if (!_byAnchor.TryGetValue(window.Value, out var list)) _byAnchor.Add(window.Value, list = []);
            list.Add((part, words));
            Count++;
            Bytes += 64 + 8L * words.Length;
        }

        int size = 1024;
        while (size < _byAnchor.Count) size *= 2;
        _filter = new ulong[size];
        foreach (ulong anchor in _byAnchor.Keys) _filter[(int)(anchor >> 32) & (size - 1)] |= 1UL << (int)(anchor & 63);
        Bytes += 8L * size + 48L * _byAnchor.Count;
    }

    /// <summary>The candidates whose last words have this hash; null for none.</summary>
    public List<(int Part, ulong[] Words)>? At(ulong anchor)
    {
        if ((_filter[(int)(anchor >> 32) & (_filter.Length - 1)] >> (int)(anchor & 63) & 1) == 0) return null;
        return _byAnchor.GetValueOrDefault(anchor);
    }

    private sealed class SameWords : IEqualityComparer<ulong[]>
    {
        public bool Equals(ulong[]? x, ulong[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(ulong[] words)
        {
            ulong hash = 0;
            foreach (ulong word in words) hash = hash * 31 + word;
            return (int)(hash >> 32);
        }
    }
}
