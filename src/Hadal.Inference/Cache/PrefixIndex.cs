using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Hadal.Inference.Cache;

/// <summary>Which pages hold the beginnings of which prompts, so that a prompt that begins alike need not be computed again.</summary>
/// <remarks>
/// <para>
/// The index is a tree: a node is a full page, and stands for its 64 tokens behind those of its parents. The tokens are compared, not only their hash. A
/// page also belongs to the token behind it: the MTP module's last row of a page is computed from it. Only pages all of whose tokens were prompt are
/// entered, since a generated token's latents differ in their last bits from the same token's in a prompt: what is computed from a reused page has the bits
/// that it would have without.
/// </para>
/// <para>
/// Pages that no sequence holds are kept in the order of their last use, a node before its parents, and given up from the front.
/// </para>
/// </remarks>
internal sealed class PrefixIndex(LatentCache cache)
{
    private const int KeyTokens = LatentCache.PageTokens + 1;
    private readonly Dictionary<(int Parent, ulong Hash), int> _children = [];
    private readonly Dictionary<int, Node> _nodes = [];
    private readonly LinkedList<int> _kept = new();
    private readonly Dictionary<string, int> _scopes = [];

    // Roots are no pages; numbers below zero.
    private int _nextRoot = -1;

    /// <summary>Pages that are kept and that no sequence holds.</summary>
    public int Kept => _kept.Count;

    /// <summary>Gives a new sequence the pages that hold the beginning of its prompt; at least one token is left to compute.</summary>
    /// <param name="sequence">A sequence without pages.</param>
    /// <param name="scope">Only pages of the same scope are shared.</param>
    /// <returns>Tokens that need not be computed.</returns>
    public int Adopt(Sequence sequence, string scope)
    {
        int parent = Root(scope), pages = 0;
        var prompt = sequence.Tokens[..sequence.PromptLength];
        while (Find(parent, prompt, pages, out _) is { } page)
        {
            cache.Hold(page);
            sequence.AddShared(page);
            (parent, pages) = (page, pages + 1);
        }

        return pages * LatentCache.PageTokens;
    }

    /// <summary>How many tokens of a prompt need not be computed.</summary>
    public int Match(ReadOnlySpan<int> prompt, string scope)
    {
        int parent = Root(scope), pages = 0;
        while (Find(parent, prompt, pages, out _) is { } page) (parent, pages) = (page, pages + 1);
        return pages * LatentCache.PageTokens;
    }

    /// <summary>Enters the pages of a prompt that are computed by now. A page that is there already takes the place of the sequence's own, which is freed:
    /// their bits are the same.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="computed">Positions whose latents are there in all layers that count.</param>
    /// <param name="entered">Pages of the sequence that are entered already.</param>
    /// <param name="scope">The scope.</param>
    /// <returns>Pages that are entered now.</returns>
    public int Enter(Sequence sequence, int computed, int entered, string scope)
    {
        var prompt = sequence.Tokens[..sequence.PromptLength];
        while ((entered + 1) * LatentCache.PageTokens <= computed && entered * LatentCache.PageTokens + KeyTokens <= prompt.Length)
        {
            int parent = entered == 0 ? Root(scope) : sequence.Pages[entered - 1];
            if (Find(parent, prompt, entered, out ulong hash) is { } page)
            {
                if (page != sequence.Pages[entered])
                {
                    cache.Hold(page);
                    cache.Return(sequence.Replace(entered, page));
                }
            }
            else if (!_children.ContainsKey((parent, hash)))
            {
                page = sequence.Pages[entered];
                _children.Add((parent, hash), page);
                _nodes.Add(page, new Node(parent, hash, Key(prompt, entered).ToArray()));
            }
            else
            {
                // Other tokens with the same hash: rare enough to do without.
                break;
            }

            entered++;
        }

        return entered;
    }

    /// <summary>A page has no holder any more.</summary>
    /// <returns>Whether it is kept; otherwise it is free.</returns>
    public bool Keep(int page)
    {
        if (!_nodes.TryGetValue(page, out var node)) return false;
        node.Place = _kept.AddLast(page);
        return true;
    }

    /// <summary>A kept page has a holder again.</summary>
    public void Unkeep(int page)
    {
        var node = _nodes[page];
        _kept.Remove(node.Place!);
        node.Place = null;
    }

    /// <summary>Gives up the page that was not used for longest.</summary>
    /// <returns>The page, free.</returns>
    public int Evict()
    {
        int page = _kept.First!.Value;
        _kept.RemoveFirst();
        _nodes.Remove(page, out var node);
        _children.Remove((node!.Parent, node.Hash));
        return page;
    }

    private int Root(string scope)
    {
        if (_scopes.TryGetValue(scope, out int root)) return root;
        _scopes.Add(scope, _nextRoot);
        return _nextRoot--;
    }

    private int? Find(int parent, ReadOnlySpan<int> prompt, int page, out ulong hash)
    {
        hash = 0;
        if (page * LatentCache.PageTokens + KeyTokens > prompt.Length) return null;
        var key = Key(prompt, page);
        hash = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(key));
        return _children.TryGetValue((parent, hash), out int child) && _nodes[child].Tokens.AsSpan().SequenceEqual(key) ? child : null;
    }

    private static ReadOnlySpan<int> Key(ReadOnlySpan<int> prompt, int page) => prompt.Slice(page * LatentCache.PageTokens, KeyTokens);

    private sealed class Node(int parent, ulong hash, int[] tokens)
    {
        public int Parent => parent;

        public ulong Hash => hash;

        public int[] Tokens => tokens;

        public LinkedListNode<int>? Place { get; set; }
    }
}
