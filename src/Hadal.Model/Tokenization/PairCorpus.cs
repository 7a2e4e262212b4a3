using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// The distinct pieces of a corpus as chains of tokens, with the count and the places of every adjacent pair kept up to date while pairs are merged.
/// Token numbers are those of the trainer: 0-255 the bytes in the order of the byte alphabet, then one a merge.
/// </summary>
internal sealed class PairCorpus
{
    private const int Gone = -1;
    private const int None = -1;

    // One slot a byte of each distinct piece; a merged token stays in the slot of its first byte. A slot also names the pair it begins.
    private readonly int[] _token;
    private readonly int[] _previous;
    private readonly int[] _next;
    private readonly int[] _pairAt;
    private readonly int[] _piece;
    private readonly long[] _pieceCount;

    private readonly List<Pair> _pairs = [];
    private readonly PriorityQueue<int, Rank> _queue = new();

    // The pairs the merge in progress has made, by their other token: (token, joined) and (joined, token). Numbers below _firstMade are old.
    private readonly int[] _before;
    private readonly int[] _after;
    private int _firstMade;

    /// <summary>Lays the pieces out and counts their pairs.</summary>
    /// <param name="pieces">Distinct pieces and how often each occurs.</param>
    /// <param name="tokens">How many tokens there can be in the end.</param>
    internal PairCorpus(PieceCounts pieces, int tokens)
    {
        long slots = pieces.Bytes;
        if (slots > Array.MaxLength)
            throw new TokenizerException(
                $"the distinct pieces of the corpus have {slots} bytes, more than the {Array.MaxLength} that can be held; take a smaller sample");
        _token = new int[slots];
        _previous = new int[slots];
        _next = new int[slots];
        _pairAt = new int[slots];
        _piece = new int[slots];
        _pieceCount = new long[pieces.Count];
        _before = new int[tokens];
        _after = new int[tokens];
        Fill(pieces);
        Enqueue(0);
        Array.Fill(_before, None);
        Array.Fill(_after, None);
    }

    /// <summary>Takes the pair of the highest count, of several that with the lowest left and then right token. It will not come again.</summary>
    /// <returns>False when no pair is left that occurs at least <paramref name="minimum"/> times.</returns>
    internal bool TryTakeMostFrequent(long minimum, out int pair)
    {
        while (_queue.TryDequeue(out pair, out Rank rank))
        {
            long count = _pairs[pair].Count;
            if (count < minimum) continue;
            if (count == rank.Count) return true;
            // The count fell since the pair was filed; file it again where it belongs now.
            _queue.Enqueue(pair, rank with { Count = count });
        }

        return false;
    }

    internal (int Left, int Right) TokensOf(int pair) => (_pairs[pair].Left, _pairs[pair].Right);

    /// <summary>Puts a new token in the place of every occurrence of a pair, from left to right.</summary>
    internal void Merge(int pair, int joined)
    {
        _firstMade = _pairs.Count;
        (int left, int right) = TokensOf(pair);
        foreach (int at in CollectionsMarshal.AsSpan(_pairs[pair].Places))
        {
            // Occurrences that a neighbouring merge has used up meanwhile are still listed.
            int second = _token[at] == left ? _next[at] : None;
            if (second == None || _token[second] != right) continue;
            long count = _pieceCount[_piece[at]];
            int before = _previous[at], after = _next[second];
            if (before != None)
            {
                Lose(before, count);
                Gain(before, count, ref _before[_token[before]], _token[before], joined);
            }

            if (after != None)
            {
                Lose(second, count);
                Gain(at, count, ref _after[_token[after]], joined, _token[after]);
                _previous[after] = at;
            }

            _token[at] = joined;
            _token[second] = Gone;
            _next[at] = after;
        }

        CollectionsMarshal.AsSpan(_pairs)[pair] = new Pair { Left = left, Right = right, Places = [] };
        Enqueue(_firstMade);
    }

    private void Fill(PieceCounts pieces)
    {
        int[] numberOfByte = new int[256];
        for (int i = 0; i < 256; i++) numberOfByte[ByteAlphabet.Ordered[i]] = i;
        int[] pairOf = new int[256 * 256];
        Array.Fill(pairOf, None);
        byte[] bytes = new byte[256];
        int slot = 0, pieceNumber = 0;
        foreach ((string piece, long count) in pieces.All)
        {
            if (bytes.Length / 3 < piece.Length) bytes = new byte[checked(piece.Length * 3)];
            int length = Encoding.UTF8.GetBytes(piece, bytes);
            for (int i = 0; i < length; i++, slot++)
            {
                _token[slot] = numberOfByte[bytes[i]];
                _piece[slot] = pieceNumber;
                _previous[slot] = i > 0 ? slot - 1 : None;
                _next[slot] = i + 1 < length ? slot + 1 : None;
                if (i > 0) Gain(slot - 1, count, ref pairOf[_token[slot - 1] * 256 + _token[slot]], _token[slot - 1], _token[slot]);
            }

            _pieceCount[pieceNumber++] = count;
        }
    }

    /// <summary>Counts an occurrence of a pair, which becomes known under a new number if the one on record is of an earlier merge.</summary>
    private void Gain(int place, long count, ref int number, int left, int right)
    {
        if (number < _firstMade)
        {
            number = _pairs.Count;
            _pairs.Add(new Pair { Left = left, Right = right, Places = [] });
        }

        ref Pair pair = ref CollectionsMarshal.AsSpan(_pairs)[number];
        pair.Count += count;
        pair.Places.Add(place);
        _pairAt[place] = number;
    }

    private void Lose(int place, long count) => CollectionsMarshal.AsSpan(_pairs)[_pairAt[place]].Count -= count;

    private void Enqueue(int firstPair)
    {
        for (int pair = firstPair; pair < _pairs.Count; pair++) _queue.Enqueue(pair, new Rank(_pairs[pair].Count, _pairs[pair].Left, _pairs[pair].Right));
    }

    private struct Pair
    {
        internal int Left;
        internal int Right;
        internal long Count;
        internal List<int> Places;
    }

    private readonly record struct Rank(long Count, int Left, int Right) : IComparable<Rank>
    {
        public int CompareTo(Rank other)
            => Count != other.Count ? other.Count.CompareTo(Count) : Left != other.Left ? Left.CompareTo(other.Left) : Right.CompareTo(other.Right);
    }
}
