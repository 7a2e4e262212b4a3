namespace Hadal.Model.Tokenization;

/// <summary>
/// How every merged token came about, and from that, without merging anything, which tokens and which pairs of tokens merging leaves as they are.
/// </summary>
/// <remarks>
/// Needs a list of merges in order: no token is made by two merges, and the parts of a merge are single bytes or made by merges of lower rank. Then ranks only
/// rise while a text is merged, and inside a token the steps are the same whatever stands beside it, until the first merge across its border. So a sequence of
/// stable tokens is what merging makes of its bytes exactly when no merge crosses a border of two neighbours, which <see cref="AreStable"/> finds out by undoing
/// their merges from the last to the first; and since merging has one result, a text has exactly one such sequence.
/// </remarks>
internal sealed class TokenSplits
{
    private const int SingleByte = -1;
    private const int NotMade = -2;
    private const int FilterBits = 21;

    private readonly MergeTable _merges;

    // By token id: the rank of the merge that makes it, and its parts.
    private readonly int[] _rank;
    private readonly int[] _left;
    private readonly int[] _right;
    private readonly bool[] _stable;

    // One bit a pair by its hash: most pairs that are asked about are no merge, and this is a sixteenth of the table.
    private readonly ulong[] _mayMerge = new ulong[1 << FilterBits - 6];

    private TokenSplits(MergeTable merges, int size)
    {
        _merges = merges;
        _rank = new int[size];
        Array.Fill(_rank, NotMade);
        _left = new int[size];
        _right = new int[size];
        _stable = new bool[size];
    }

    /// <summary>Looks at a list of merges; null when it is not in order.</summary>
    internal static TokenSplits? Find(MergeTable merges, ReadOnlySpan<int> byteIds, int vocabularySize)
    {
        TokenSplits splits = new(merges, vocabularySize);
        foreach (int id in byteIds)
        {
            if (id < 0) continue;
            splits._rank[id] = SingleByte;
            splits._stable[id] = true;
        }

        List<(int Rank, int Joined)> order = [];
        foreach ((int left, int right, int rank, int joined) in merges.All())
        {
            if (splits._rank[joined] != NotMade) return null;
            (splits._rank[joined], splits._left[joined], splits._right[joined]) = (rank, left, right);
            order.Add((rank, joined));
            int bit = FilterBit(left, right);
            splits._mayMerge[bit >> 6] |= 1UL << bit;
        }

        order.Sort();
        foreach ((int rank, int joined) in order)
        {
            (int left, int right) = (splits._left[joined], splits._right[joined]);
            if (!Made(left) || !Made(right)) return null;
            // The merge that makes the token is the one across the border of its parts that may happen, once both are complete.
            splits._stable[joined] = splits._stable[left] && splits._stable[right] && splits.NothingCrosses(left, right);

            bool Made(int part) => splits._rank[part] is var made && made != NotMade && made < rank;
        }

        return splits;
    }

    /// <summary>True when merging the bytes of a token gives the token.</summary>
    internal bool IsStable(int token) => _stable[token];

    /// <summary>True when merging the bytes of two stable tokens beside each other gives these two.</summary>
    internal bool AreStable(int left, int right) => RankOf(left, right) == MergeTable.NoRank && NothingCrosses(left, right);

    /// <summary>True when no merge crosses the border of two tokens before both are complete.</summary>
    private bool NothingCrosses(int left, int right)
    {
        while (true)
        {
            // Undo the later of the two last merges. Of equal ranks the one further left is done first.
            int latest;
            if (_rank[left] > _rank[right])
            {
                latest = _rank[left];
                left = _right[left];
            }
            else
            {
                if (_rank[right] == SingleByte) return true;
                latest = _rank[right] + 1;
                right = _left[right];
            }

            // In this state the tokens at the border would be joined first if their rank comes before that of the merge just undone.
            if (RankOf(left, right) < latest) return false;
        }
    }

    private int RankOf(int left, int right)
    {
        int bit = FilterBit(left, right);
        return (_mayMerge[bit >> 6] >> bit & 1) == 0 ? MergeTable.NoRank : _merges.RankOf(left, right);
    }

    private static int FilterBit(int left, int right) => (int)(((ulong)(uint)left << 32 | (uint)right) * 0x9E3779B97F4A7C15 >> 64 - FilterBits);
}
