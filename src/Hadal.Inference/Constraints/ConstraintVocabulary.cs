using System.Numerics;
using Hadal.Inference.Constraints.Grammar;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Constraints;

/// <summary>
/// The tokens of a tokenizer as constraints see them: a trie over their bytes. Immutable; every member may be called from several threads at once. Built once
/// per tokenizer and shared by all grammars.
/// </summary>
/// <remarks>
/// Added tokens (special or not) stand for themselves and not for their text: no constraint on text ever allows one, and <see cref="GrammarPart.Token"/> is the
/// only way to ask for one. Ids without a token are never allowed.
/// </remarks>
public sealed class ConstraintVocabulary
{
    // Nodes in preorder. The tokens at or below a node are a range of _order, since the tokens there are sorted by their bytes.
    private readonly byte[] _label;
    private readonly int[] _end;
    private readonly ushort[] _depth;
    private readonly int[] _firstToken;
    private readonly int[] _order;
    private readonly byte[][] _bytes;
    private readonly bool[] _added;

    private ConstraintVocabulary(byte[][] bytes, bool[] added, int[] order)
    {
        (_bytes, _added, _order, Count) = (bytes, added, order, bytes.Length);
        List<byte> label = [];
        List<int> end = [], firstToken = [];
        List<ushort> depth = [];
        List<int> path = [];
        byte[] last = [];
        for (int t = 0; t < order.Length; t++)
        {
            byte[] token = bytes[order[t]];
            int common = last.AsSpan().CommonPrefixLength(token);
            for (int d = path.Count - 1; d >= common; d--) end[path[d]] = label.Count;
            path.RemoveRange(common, path.Count - common);
            for (int d = common; d < token.Length; d++)
            {
                path.Add(label.Count);
                label.Add(token[d]);
                end.Add(0);
                depth.Add((ushort)(d + 1));
                firstToken.Add(t);
            }

            last = token;
            LongestToken = Math.Max(LongestToken, token.Length);
        }

        foreach (int node in path) end[node] = label.Count;
        firstToken.Add(order.Length);
        (_label, _end, _depth, _firstToken) = ([.. label], [.. end], [.. depth], [.. firstToken]);
        StringTokens = new StringTokens(this);
        SharedMasks = new TerminalMasks(this, 64 << 20);
    }

    /// <summary>One more than the highest token id, the length of a bit set of tokens.</summary>
    public int Count { get; }

    /// <summary>Length of a bit set in 64-bit words.</summary>
    internal int Words => (Count + 63) / 64;

    /// <summary>Bytes of the longest token.</summary>
    internal int LongestToken { get; }

    /// <summary>Nodes of the trie, in preorder; the root, which has no byte, is not one of them.</summary>
    internal int Nodes => _label.Length;

    /// <summary>Masks of terminals that are the same in every grammar.</summary>
    internal TerminalMasks SharedMasks { get; }

    /// <summary>The tokens in the middle of a JSON string.</summary>
    internal StringTokens StringTokens { get; }

    /// <summary>The byte that leads to each node.</summary>
    internal ReadOnlySpan<byte> Labels => _label;

    /// <summary>For each node, one more than the last node below it.</summary>
    internal ReadOnlySpan<int> Ends => _end;

    /// <summary>Bytes from the root to each node, from 1.</summary>
    internal ReadOnlySpan<ushort> Depths => _depth;

    /// <summary>Builds the trie (some tenths of a second for 128,000 tokens).</summary>
    /// <param name="tokenizer">Whose tokens; their bytes are copied.</param>
    public static ConstraintVocabulary Build(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        byte[][] bytes = new byte[tokenizer.VocabularySize][];
        bool[] added = new bool[bytes.Length];
        List<int> order = new(bytes.Length);
        for (int id = 0; id < bytes.Length; id++)
        {
            bytes[id] = [];
            if (!tokenizer.HasToken(id)) continue;
            added[id] = tokenizer.IsAdded(id);
            if (added[id]) continue;
            bytes[id] = tokenizer.TokenBytes(id).ToArray();
            if (bytes[id].Length is > 0 and <= ushort.MaxValue) order.Add(id);
        }

        int[] sorted = [.. order];
        Array.Sort(sorted, (a, b) => bytes[a].AsSpan().SequenceCompareTo(bytes[b]) is not 0 and int c ? c : a.CompareTo(b));
        return new ConstraintVocabulary(bytes, added, sorted);
    }

    /// <summary>The bytes of a token that stands for text; empty for all other ids.</summary>
    internal ReadOnlySpan<byte> Bytes(int id) => (uint)id < (uint)Count ? _bytes[id] : default;

    /// <summary>Whether an id is an added token.</summary>
    internal bool IsAdded(int id) => (uint)id < (uint)Count && _added[id];

    /// <summary>The tokens that end at a node.</summary>
    internal ReadOnlySpan<int> TokensAt(int node) => _order.AsSpan(_firstToken[node].._firstToken[node + 1]);

    /// <summary>The tokens that end at a node or below it.</summary>
    internal ReadOnlySpan<int> TokensUnder(int node) => _order.AsSpan(_firstToken[node].._firstToken[_end[node]]);

    internal static void Set(Span<ulong> mask, int id) => mask[id >> 6] |= 1ul << (id & 63);

    internal static void Clear(Span<ulong> mask, int id) => mask[id >> 6] &= ~(1ul << (id & 63));

    internal static bool Contains(ReadOnlySpan<ulong> mask, int id) => (mask[id >> 6] >> (id & 63) & 1) != 0;

    internal static int CountOf(ReadOnlySpan<ulong> mask)
    {
        int count = 0;
        foreach (ulong word in mask) count += BitOperations.PopCount(word);
        return count;
    }
}
