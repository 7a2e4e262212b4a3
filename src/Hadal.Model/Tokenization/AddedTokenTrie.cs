using System.Buffers;

namespace Hadal.Model.Tokenization;

/// <summary>Finds added tokens: the leftmost match, the longest of those that start there.</summary>
internal sealed class AddedTokenTrie
{
    private readonly SearchValues<char> _first;
    private readonly Dictionary<(int Node, char Unit), int> _edges = [];
    private readonly List<AddedToken?> _nodes = [null];

    /// <summary>Builds the trie.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="text">The text to look for in place of a token's content (its normalised form).</param>
    internal AddedTokenTrie(IEnumerable<AddedToken> tokens, Func<string, string> text)
    {
        HashSet<char> first = [];
        foreach (AddedToken token in tokens)
        {
            int node = 0;
            string content = text(token.Content);
            if (content.Length == 0) continue;
            first.Add(content[0]);
            foreach (char unit in content)
            {
                if (!_edges.TryGetValue((node, unit), out int child))
                {
                    _edges.Add((node, unit), child = _nodes.Count);
                    _nodes.Add(null);
                }

                node = child;
            }

            _nodes[node] ??= token;
        }

        _first = SearchValues.Create([.. first]);
        IsEmpty = first.Count == 0;
    }

    internal bool IsEmpty { get; }

    /// <summary>Looks for the next token from a place on.</summary>
    internal AddedToken? Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; ; start++)
        {
            int skip = text[start..].IndexOfAny(_first);
            if (skip < 0)
            {
                end = start;
                return null;
            }

            start += skip;
            AddedToken? longest = null;
            end = start;
            int node = 0;
            for (int i = start; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
            {
                if (_nodes[node] is not { } token) continue;
                longest = token;
                end = i + 1;
            }

            if (longest is not null) return longest;
        }
    }
}
