using System.Buffers;
using System.Numerics;
using System.Text.Unicode;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Encodes runs of Han and kana by tokens of whole characters, without merging bytes: the longest token at each place that is stable beside the one before,
/// and back to shorter ones where that leads nowhere. <see cref="TokenSplits"/> says why the result is that of merging. Immutable once built.
/// </summary>
internal sealed class HanKanaTrie
{
    internal const char First = '\u3040';
    internal const char Last = '\u9FA5';

    private const int None = -1;

    // An edge is the node it leaves (24 bits), its character (15 bits) and the node it leads to (24 bits).
    private const int NodeBits = 24;
    private const int MostNodes = 1 << NodeBits;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private readonly TokenSplits _splits;
    private readonly int _vocabularySize;

    // Nodes are token ids; from the vocabulary's size on those that are only the beginning of tokens. An edge of 0 is none.
    private readonly int[] _root = new int[Last - First + 1];
    private readonly ulong[] _edges;
    private readonly int _shift;
    private readonly int[] _shorter;
    private readonly byte[] _length;

    private HanKanaTrie(TokenSplits splits, int vocabularySize, int edges)
    {
        (_splits, _vocabularySize) = (splits, vocabularySize);
        _shorter = new int[vocabularySize];
        _length = new byte[vocabularySize];
        Array.Fill(_root, None);
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, edges * 3L / 2));
        _edges = new ulong[size];
        _shift = 64 - BitOperations.Log2((uint)size);
    }

    /// <summary>Collects the tokens; null when merging is not in order, or when there are more tokens than can be kept this way.</summary>
    internal static HanKanaTrie? Build(TokenizerFile file)
    {
        Vocabulary vocabulary = file.Vocabulary;
        if (TokenSplits.Find(file.Merges, file.ByteIds, vocabulary.Size) is not { } splits) return null;
        List<(string Text, int Id)> tokens = [];
        Span<char> buffer = stackalloc char[byte.MaxValue];
        int characters = 0;
        for (int id = 0; id < vocabulary.Size; id++)
        {
            if (!splits.IsStable(id)) continue;
            ReadOnlySpan<byte> bytes = vocabulary.Bytes(id);
            if (bytes.Length > byte.MaxValue) continue;
            if (Utf8.ToUtf16(bytes, buffer, out _, out int length, replaceInvalidSequences: false) != OperationStatus.Done) continue;
            if (buffer[..length].ContainsAnyExceptInRange(First, Last)) continue;
            tokens.Add((buffer[..length].ToString(), id));
            characters += length;
        }

        if (tokens.Count == 0 || vocabulary.Size + (long)characters > MostNodes) return null;
        // Shorter ones first, so that what a token begins with is there before it.
        tokens.Sort(static (a, b) => a.Text.Length != b.Text.Length ? a.Text.Length.CompareTo(b.Text.Length) : a.Id.CompareTo(b.Id));
        HanKanaTrie trie = new(splits, vocabulary.Size, characters);
        int nodes = vocabulary.Size;
        foreach ((string text, int id) in tokens) trie.Add(text, id, ref nodes);
        return trie;
    }

    /// <summary>Encodes a piece.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="pairs">What was asked before.</param>
    /// <param name="ids">Receives the ids; as long as the piece.</param>
    /// <param name="steps">How many tokens were tried, for tests.</param>
    /// <returns>How many ids there are; -1 when the piece is not made of tokens of whole characters.</returns>
    internal int Encode(ReadOnlySpan<char> piece, TokenPairCache pairs, Span<int> ids, out int steps)
    {
        // A place that leads nowhere does so however it is reached, for only one sequence of tokens reaches it.
        bool[]? dead = null;
        int place = 0, count = 0;
        steps = 0;
        int next = Longest(piece);
        while (true)
        {
            while (next != None)
            {
                steps++;
                if ((dead is null || !dead[place + _length[next]]) && (count == 0 || pairs.AreStable(_splits, ids[count - 1], next))) break;
                next = _shorter[next];
            }

            if (next != None)
            {
                ids[count++] = next;
                place += _length[next];
                if (place == piece.Length) break;
                next = Longest(piece[place..]);
                // A character that is no token: no way leads past it.
                if (next == None) (count, place) = (-1, piece.Length);
                if (count < 0) break;
            }
            else if (count == 0)
            {
                count = -1;
                break;
            }
            else
            {
                if (dead is null)
                {
                    dead = ArrayPool<bool>.Shared.Rent(piece.Length + 1);
                    Array.Clear(dead);
                }

                dead[place] = true;
                next = ids[--count];
                place -= _length[next];
                next = _shorter[next];
            }
        }

        if (dead is not null) ArrayPool<bool>.Shared.Return(dead);
        return count;
    }

    private int Longest(ReadOnlySpan<char> text)
    {
        int node = text[0] is >= First and <= Last ? _root[text[0] - First] : None;
        int longest = None;
        for (int i = 1; node != None; i++)
        {
            if (node < _vocabularySize) longest = node;
            if (i == text.Length || text[i] is < First or > Last) break;
            node = Find(node, text[i]) is var edge && edge != 0 ? (int)edge & MostNodes - 1 : None;
        }

        return longest;
    }

    private void Add(string text, int id, ref int nodes)
    {
        _length[id] = (byte)text.Length;
        _shorter[id] = None;
        int node = None;
        for (int i = 0; i < text.Length; i++)
        {
            bool last = i == text.Length - 1;
            ref int rooted = ref _root[text[i] - First];
            ref ulong edge = ref Find(Math.Max(node, 0), text[i]);
            int known = i == 0 ? rooted : edge == 0 ? None : (int)edge & MostNodes - 1;
            if (known == None || last)
            {
                known = last ? id : nodes++;
                if (i == 0) rooted = known;
                else edge = Key(node, text[i]) << NodeBits | (uint)known;
            }
            else if (known < _vocabularySize)
            {
                _shorter[id] = known;
            }

            node = known;
        }
    }

    private ref ulong Find(int node, char character)
    {
        ulong key = Key(node, character);
        ulong[] edges = _edges;
        int slot = (int)(key * Multiplier >> _shift);
        while (edges[slot] != 0 && edges[slot] >> NodeBits != key) slot = slot + 1 & edges.Length - 1;
        return ref edges[slot];
    }

    private static ulong Key(int node, char character) => (ulong)(uint)node << 15 | (uint)(character - First);
}
