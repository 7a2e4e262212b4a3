using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>
/// The tokens that can stand in the middle of a JSON string, by the number of characters that they need there: masks of strings with any limits of length are put together from
/// these lists, without a walk through the trie.
/// </summary>
internal sealed class StringTokens
{
    // Tokens that stay within the string, sorted by the characters that they complete or begin.
    private readonly int[] _inside;
    private readonly int[] _endOfNeed;
    private readonly (int Id, int Characters)[] _closing;
    private readonly (int Node, int Characters)[] _exits;
    private readonly int _words;

    internal StringTokens(ConstraintVocabulary vocabulary)
    {
        _words = vocabulary.Words;
        var labels = vocabulary.Labels;
        var ends = vocabulary.Ends;
        var depths = vocabulary.Depths;
        var path = new (int Place, int Characters)[vocabulary.LongestToken + 1];
        path[0] = (StringSyntax.Content, 0);
        List<int>[] byNeed = [.. Enumerable.Range(0, vocabulary.LongestToken + 1).Select(static _ => new List<int>())];
        List<(int, int)> closing = [], exits = [];
        for (int node = 0; node < labels.Length;)
        {
            int depth = depths[node];
            var (place, characters) = path[depth - 1];
            place = StringSyntax.Step(place, labels[node], out int character);
            if (character >= 0) characters++;
            path[depth] = (place, characters);
            if (place == StringSyntax.Dead)
            {
                node = ends[node];
            }
            else if (place == StringSyntax.Closed)
            {
                foreach (int id in vocabulary.TokensAt(node)) closing.Add((id, characters));
                if (ends[node] > node + 1) exits.Add((node, characters));
                node = ends[node];
            }
            else
            {
                foreach (int id in vocabulary.TokensAt(node)) byNeed[characters + (place == StringSyntax.Content ? 0 : 1)].Add(id);
                node++;
            }
        }

        (_closing, _exits) = ([.. closing], [.. exits]);
        _inside = [.. byNeed.SelectMany(static n => n)];
        _endOfNeed = new int[byNeed.Length];
        for (int n = 0, end = 0; n < byNeed.Length; n++) _endOfNeed[n] = end += byNeed[n].Count;
    }

    /// <summary>The mask in the middle of a string.</summary>
    /// <param name="must">How many characters must come.</param>
    /// <param name="may">How many may come.</param>
    internal TerminalMask Mask(int must, int may)
    {
        ulong[] mask = new ulong[_words];
        foreach (int id in _inside.AsSpan(0, _endOfNeed[Math.Min(may, _endOfNeed.Length - 1)])) ConstraintVocabulary.Set(mask, id);
        foreach (var (id, characters) in _closing)
        {
            if (characters >= must && characters <= may) ConstraintVocabulary.Set(mask, id);
        }

        return new TerminalMask(mask, [], [.. _exits.Where(e => e.Characters >= must && e.Characters <= may).Select(static e => e.Node)]);
    }
}
