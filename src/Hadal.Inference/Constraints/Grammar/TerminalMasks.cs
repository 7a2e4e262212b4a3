using System.Collections.Concurrent;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>Remembers masks of terminals, and forgets them all when they take more than some bytes. Thread-safe.</summary>
internal sealed class TerminalMasks(ConstraintVocabulary vocabulary, long capacity)
{
    private const int FewTokens = 256;

    [ThreadStatic]
    private static TerminalState[]? _path;

    private readonly ConcurrentDictionary<(Terminal Terminal, TerminalState State), TerminalMask> _masks = [];
    private long _bytes;

    /// <summary>The mask of a terminal's place; the terminal and place are canonical.</summary>
    internal TerminalMask Of(Terminal terminal, TerminalState state)
    {
        if (_masks.TryGetValue((terminal, state), out var known)) return known;
        var mask = Walk(terminal, state);
        if (Interlocked.Add(ref _bytes, mask.Bytes) > capacity)
        {
            _masks.Clear();
            Volatile.Write(ref _bytes, mask.Bytes);
        }

        _masks[(terminal, state)] = mask;
        return mask;
    }

    /// <summary>Walks the trie with the terminal.</summary>
    private TerminalMask Walk(Terminal terminal, TerminalState state)
    {
        if (terminal is PlainStringTerminal && state.State == StringSyntax.Content)
        {
            var (must, may) = PlainStringTerminal.Counts(state);
            return vocabulary.StringTokens.Mask(must, may);
        }

        if (_path is null || _path.Length <= vocabulary.LongestToken) _path = new TerminalState[vocabulary.LongestToken + 1];
        var path = _path;
        var labels = vocabulary.Labels;
        var ends = vocabulary.Ends;
        var depths = vocabulary.Depths;
        // A name that is opened and closed by one token could not be compared with those that were used before.
        bool openOnly = terminal.IsOpenName && state == terminal.Start;
        List<int> allowed = [], exits = [];
        path[0] = state;
        for (int node = 0; node < labels.Length;)
        {
            int depth = depths[node];
            var place = path[depth - 1];
            if (!terminal.Step(ref place, labels[node]))
            {
                node = ends[node];
                continue;
            }

            bool end = terminal.CanEnd(place);
            if (end && openOnly)
            {
                node = ends[node];
                continue;
            }

            foreach (int id in vocabulary.TokensAt(node)) allowed.Add(id);
            if (end && ends[node] > node + 1) exits.Add(node);
            path[depth] = place;
            node = terminal.CanContinue(place) ? node + 1 : ends[node];
        }

        if (allowed.Count <= FewTokens) return new TerminalMask(null, [.. allowed], [.. exits]);
        ulong[] dense = new ulong[vocabulary.Words];
        foreach (int id in allowed) ConstraintVocabulary.Set(dense, id);
        return new TerminalMask(dense, [], [.. exits]);
    }
}
