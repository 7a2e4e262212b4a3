using System.Runtime.InteropServices;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Patterns;

/// <summary>
/// Makes the deterministic automaton of a regular expression that is searched for: a text is accepted if some stretch of it matches. Its states are sets of nodes of the
/// expression's graph; how many steps that takes is bounded, so that no expression takes long.
/// </summary>
internal sealed class PatternAutomaton
{
    /// <summary>How many nodes may be looked at for one expression.</summary>
    private const int MaxSteps = 4_000_000;

    // A pseudo node that begins the search anew behind every character.
    private const int Search = -1;

    private readonly PatternGraph _graph;
    private readonly int _limit;
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<int[]> _sets = [];
    private readonly int[] _seen;
    private int _mark, _steps;

    private PatternAutomaton(PatternGraph graph, int limit) => (_graph, _limit, _seen) = (graph, limit, new int[graph.Count]);

    /// <summary>The automaton of an expression.</summary>
    /// <param name="expression">An expression of <see cref="RegularExpression"/>.</param>
    /// <param name="limit">How many states it may have.</param>
    /// <exception cref="PatternException">The expression is malformed, unsupported or too large.</exception>
    internal static CharacterAutomaton Compile(string expression, int limit) => new PatternAutomaton(new PatternGraph(RegularExpression.Parse(expression)), limit).Run();

    private CharacterAutomaton Run()
    {
        List<int[]> last = [], next = [];
        List<bool> accepts = [];
        // The first state is one of its own: only there the text begins.
        _sets.Add(Closure([Search, _graph.Start], true, false));
        for (int s = 0; s < _sets.Count; s++)
        {
            int[] set = _sets[s];
            if (set is [PatternGraph.Final, ..])
            {
                // Found: whatever follows.
                last.Add([CharacterRanges.Last]);
                next.Add([s == 0 ? Number([PatternGraph.Final]) : s]);
                accepts.Add(true);
                continue;
            }

            var (ends, targets) = Transitions(set);
            last.Add(ends);
            next.Add(targets);
            accepts.Add(Closure(set, s == 0, true) is [PatternGraph.Final, ..]);
        }

        return new CharacterAutomaton([.. last], [.. next], [.. accepts]);
    }

    private (int[] Last, int[] Next) Transitions(int[] set)
    {
        // Where ranges begin and end, the stretches between have one target each.
        SortedDictionary<int, List<(int Node, bool Begins)>> borders = [];
        foreach (int node in set)
        {
            if (node == Search || _graph[node].Kind != PatternGraph.Kind.Read) continue;
            foreach (var (low, high) in _graph[node].Ranges!.Ranges)
            {
                Step(1);
                At(low).Add((node, true));
                At(high + 1).Add((node, false));
            }
        }

        List<int> last = [], next = [];
        Dictionary<int, int> active = [];
        bool searching = set.Contains(Search);
        int from = 0;
        foreach (var (border, changes) in borders)
        {
            if (border > from) Close(border - 1);
            foreach (var (node, begins) in changes)
            {
                active[node] = active.GetValueOrDefault(node) + (begins ? 1 : -1);
                if (active[node] == 0) active.Remove(node);
            }

            from = border;
        }

        if (from <= CharacterRanges.Last) Close(CharacterRanges.Last);
        return ([.. last], [.. next]);

        List<(int Node, bool Begins)> At(int place)
        {
            if (!borders.TryGetValue(place, out var list)) borders.Add(place, list = []);
            return list;
        }

        void Close(int end)
        {
            Step(active.Count + 1);
            List<int> seeds = [.. active.Keys.Select(n => _graph[n].Next)];
            if (searching) seeds.AddRange([Search, _graph.Start]);
            last.Add(end);
            next.Add(seeds.Count == 0 ? CharacterAutomaton.Dead : Number(Closure(seeds, false, false)));
        }
    }

    private int Number(int[] set)
    {
        if (set.Length == 0) return CharacterAutomaton.Dead;
        if (set[0] == PatternGraph.Final) set = [PatternGraph.Final];
        string key = new(MemoryMarshal.Cast<int, char>(set));
        if (_numbers.TryGetValue(key, out int number)) return number;
        if (_sets.Count >= _limit) throw new PatternException($"its automaton has more states than the schema may have ({nameof(ConstraintLimits.MaxAutomatonStates)})");
        _numbers.Add(key, _sets.Count);
        _sets.Add(set);
        return _sets.Count - 1;
    }

    /// <summary>The nodes that are reached without a character, sorted, the final one first.</summary>
    private int[] Closure(IEnumerable<int> seeds, bool atStart, bool atEnd)
    {
        _mark++;
        List<int> kept = [];
        Stack<int> work = new(seeds);
        bool search = false;
        while (work.TryPop(out int n))
        {
            if (n == Search)
            {
                search = true;
                continue;
            }

            if (_seen[n] == _mark) continue;
            _seen[n] = _mark;
            Step(1);
            var node = _graph[n];
            switch (node.Kind)
            {
                case PatternGraph.Kind.Split:
                    work.Push(node.Other);
                    work.Push(node.Next);
                    break;
                case PatternGraph.Kind.AtStart:
                    if (atStart) work.Push(node.Next);
                    break;
                case PatternGraph.Kind.AtEnd:
                    kept.Add(n);
                    if (atEnd) work.Push(node.Next);
                    break;
                default:
                    kept.Add(n);
                    break;
            }
        }

        kept.Sort();
        if (search) kept.Insert(kept is [PatternGraph.Final, ..] ? 1 : 0, Search);
        return [.. kept];
    }

    private void Step(int steps)
    {
        _steps += steps;
        if (_steps > MaxSteps) throw new PatternException("its automaton takes too much work; use fewer repetitions within each other");
    }
}
