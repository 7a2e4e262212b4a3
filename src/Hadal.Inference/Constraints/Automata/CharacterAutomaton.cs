namespace Hadal.Inference.Constraints.Automata;

/// <summary>A deterministic automaton over Unicode scalar values. State 0 is the start; every transition leads to a state from which an end can be reached.</summary>
internal sealed partial class CharacterAutomaton
{
    /// <summary>No transition.</summary>
    internal const int Dead = -1;

    private readonly int[][] _last;
    private readonly int[][] _next;
    private readonly bool[] _accepts;
    private readonly bool[] _universal;
    private readonly int[] _toEnd;

    /// <param name="last">For each state the last characters of its stretches, ascending, the last of which ends at U+10FFFF.</param>
    /// <param name="next">For each of these where it leads, or <see cref="Dead"/>.</param>
    /// <param name="accepts">For each state whether a text may end there.</param>
    internal CharacterAutomaton(int[][] last, int[][] next, bool[] accepts)
    {
        bool[] live = Liveness.Of(accepts, s => next[s]);
        (_last, _next, _accepts) = (new int[last.Length][], new int[last.Length][], accepts);
        _universal = new bool[last.Length];
        for (int s = 0; s < last.Length; s++)
        {
            // Stretches with the same target are joined; surrogates are no characters, so a stretch of nothing else leads nowhere.
            List<int> ends = [], targets = [];
            int from = 0;
            for (int i = 0; i < last[s].Length; i++)
            {
                int target = next[s][i] >= 0 && live[next[s][i]] && !(from >= 0xD800 && last[s][i] <= 0xDFFF) ? next[s][i] : Dead;
                from = last[s][i] + 1;
                if (targets.Count > 0 && targets[^1] == target) ends[^1] = last[s][i];
                else
                {
                    ends.Add(last[s][i]);
                    targets.Add(target);
                }
            }

            (_last[s], _next[s]) = ([.. ends], [.. targets]);
            _universal[s] = accepts[s] && targets.TrueForAll(t => t == s);
        }

        IsEmpty = !live[0];
        _toEnd = Distances();
        FarthestEnd = _toEnd.Where(static d => d != int.MaxValue).DefaultIfEmpty(0).Max();
        AcceptsLonger = Enumerable.Range(0, last.Length).All(s => !accepts[s] || _next[s].Any(t => t >= 0 && accepts[t]));
    }

    internal int States => _accepts.Length;

    /// <summary>Whether it accepts nothing at all.</summary>
    internal bool IsEmpty { get; }

    internal bool Accepts(int state) => _accepts[state];

    /// <summary>Whether everything is accepted from a state on.</summary>
    internal bool IsUniversal(int state) => _universal[state];

    internal ReadOnlySpan<int> LastOf(int state) => _last[state];

    internal ReadOnlySpan<int> NextOf(int state) => _next[state];

    internal int Next(int state, int character) => _next[state][Stretch(state, character)];

    /// <summary>Characters of the shortest text from a state to an end; <see cref="int.MaxValue"/> if there is none.</summary>
    internal int ToEnd(int state) => _toEnd[state];

    /// <summary>The largest of <see cref="ToEnd"/> of the states that have an end.</summary>
    internal int FarthestEnd { get; }

    /// <summary>Whether every accepted text is the beginning of one that is longer by a character: lengths can then be counted beside the automaton.</summary>
    internal bool AcceptsLonger { get; }

    /// <summary>Whether any character of a range has a transition to a state with an end near enough.</summary>
    /// <param name="state">The state.</param>
    /// <param name="low">The first character.</param>
    /// <param name="high">The last character.</param>
    /// <param name="left">How many characters may come behind the one that is looked for.</param>
    internal bool HasNext(int state, int low, int high, int left)
    {
        int[] last = _last[state], next = _next[state];
        for (int i = Stretch(state, low); ; i++)
        {
            int from = i == 0 ? 0 : last[i - 1] + 1;
            // What is left of the stretch within the range must not be surrogates only.
            int first = Math.Max(from, low), end = Math.Min(last[i], high);
            if (next[i] >= 0 && _toEnd[next[i]] <= left && !(first >= 0xD800 && end <= 0xDFFF)) return true;
            if (last[i] >= high) return false;
        }
    }

    internal bool Matches(string text)
    {
        int state = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            state = Next(state, rune.Value);
            if (state < 0) return false;
        }

        return Accepts(state);
    }

    private int[] Distances()
    {
        List<int>[] before = [.. _next.Select(static _ => new List<int>())];
        for (int s = 0; s < _next.Length; s++)
        {
            foreach (int t in _next[s])
            {
                if (t >= 0) before[t].Add(s);
            }
        }

        int[] distances = new int[_next.Length];
        Array.Fill(distances, int.MaxValue);
        Queue<int> work = [];
        for (int s = 0; s < _next.Length; s++)
        {
            if (!_accepts[s]) continue;
            distances[s] = 0;
            work.Enqueue(s);
        }

        while (work.TryDequeue(out int s))
        {
            foreach (int b in before[s])
            {
                if (distances[b] != int.MaxValue) continue;
                distances[b] = distances[s] + 1;
                work.Enqueue(b);
            }
        }

        return distances;
    }

    private int Stretch(int state, int character)
    {
        int[] last = _last[state];
        int low = 0, high = last.Length - 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (last[middle] < character) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
