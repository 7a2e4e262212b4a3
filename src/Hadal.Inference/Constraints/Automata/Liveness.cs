namespace Hadal.Inference.Constraints.Automata;

/// <summary>Which states of an automaton lead to an end.</summary>
internal static class Liveness
{
    /// <summary>Marks the states from which one can be reached in which the text may end.</summary>
    /// <param name="ends">For each state whether the text may end in it.</param>
    /// <param name="next">The states that follow one; negative numbers are none.</param>
    internal static bool[] Of(bool[] ends, Func<int, int[]> next)
    {
        List<int>[] before = new List<int>[ends.Length];
        for (int s = 0; s < ends.Length; s++) before[s] = [];
        for (int s = 0; s < ends.Length; s++)
        {
            int last = -1;
            foreach (int t in next(s))
            {
                if (t >= 0 && t != last) before[t].Add(s);
                last = t;
            }
        }

        bool[] live = (bool[])ends.Clone();
        Stack<int> work = new();
        for (int s = 0; s < ends.Length; s++)
        {
            if (live[s]) work.Push(s);
        }

        while (work.TryPop(out int s))
        {
            foreach (int b in before[s])
            {
                if (live[b]) continue;
                live[b] = true;
                work.Push(b);
            }
        }

        return live;
    }
}
