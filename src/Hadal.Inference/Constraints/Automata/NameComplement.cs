namespace Hadal.Inference.Constraints.Automata;

/// <summary>All texts but some.</summary>
internal static class NameComplement
{
    /// <summary>The automaton of all texts that are none of some names.</summary>
    internal static CharacterAutomaton Of(IEnumerable<string> names)
    {
        // A trie of the names; whatever leaves it is accepted with all that follows, in the last state.
        List<SortedDictionary<int, int>> children = [[]];
        List<bool> accepts = [true];
        foreach (string name in names)
        {
            int state = 0;
            foreach (var rune in name.EnumerateRunes())
            {
                if (!children[state].TryGetValue(rune.Value, out int next))
                {
                    next = children.Count;
                    children[state].Add(rune.Value, next);
                    children.Add([]);
                    accepts.Add(true);
                }

                state = next;
            }

            accepts[state] = false;
        }

        int free = children.Count;
        children.Add([]);
        accepts.Add(true);
        int[][] last = new int[children.Count][], targets = new int[children.Count][];
        for (int s = 0; s < children.Count; s++)
        {
            List<int> ends = [], next = [];
            int from = 0;
            foreach (var (character, child) in children[s])
            {
                if (character > from)
                {
                    ends.Add(character - 1);
                    next.Add(free);
                }

                ends.Add(character);
                next.Add(child);
                from = character + 1;
            }

            if (from <= 0x10FFFF)
            {
                ends.Add(0x10FFFF);
                next.Add(free);
            }

            (last[s], targets[s]) = ([.. ends], [.. next]);
        }

        return new CharacterAutomaton(last, targets, [.. accepts]);
    }
}
