using System.Text;

namespace Hadal.Inference.Constraints.Automata;

/// <summary>The automaton as a set of texts: what is not in it, and whether it is finite.</summary>
internal sealed partial class CharacterAutomaton
{
    private bool[]? _endless;

    /// <summary>Whether every beginning of a text can be completed in endlessly many ways.</summary>
    internal bool HasEndlessRest
    {
        get
        {
            bool[] endless = EndlessStates();
            for (int s = 0; s < States; s++)
            {
                if (!endless[s]) return false;
            }

            return true;
        }
    }

    /// <summary>All texts that this automaton does not accept.</summary>
    internal CharacterAutomaton Complement()
    {
        int[][] next = [.. _next.Select(n => n.Select(t => t == Dead ? States : t).ToArray()), [States]];
        return new CharacterAutomaton([.. _last, [0x10FFFF]], next, [.. _accepts.Select(static a => !a), true]);
    }

    /// <summary>The texts all of whose beginnings can be completed in endlessly many ways; null when there are none.</summary>
    internal CharacterAutomaton? Endless()
    {
        bool[] endless = EndlessStates();
        if (!endless[0]) return null;
        // Other states are kept as numbers without transitions; nothing leads there.
        int[][] next = [.. _next.Select((n, s) => n.Select(t => t != Dead && endless[s] && endless[t] ? t : Dead).ToArray())];
        CharacterAutomaton result = new(_last, next, [.. _accepts.Select((a, s) => a && endless[s])]);
        return result.IsEmpty ? null : result;
    }

    /// <summary>The texts of a finite automaton; null when they are more than wanted.</summary>
    internal List<string>? Texts(int most)
    {
        List<string> texts = [];
        Stack<(int State, string Text)> work = new([(0, "")]);
        int steps = 0;
        while (work.TryPop(out var item))
        {
            if (Accepts(item.State)) texts.Add(item.Text);
            for (int i = _next[item.State].Length - 1; i >= 0; i--)
            {
                if (_next[item.State][i] == Dead) continue;
                for (int c = _last[item.State][i]; c >= (i == 0 ? 0 : _last[item.State][i - 1] + 1); c--)
                {
                    if (++steps > 100 * most || texts.Count > most) return null;
                    if (Rune.IsValid(c)) work.Push((_next[item.State][i], item.Text + new Rune(c)));
                }
            }
        }

        return texts.Count > most ? null : texts;
    }

    /// <summary>The states that lead to a cycle.</summary>
    private bool[] EndlessStates()
    {
        if (_endless is not null) return _endless;
        // States are taken away as long as nothing leads on from them; those that stay reach a cycle.
        int[] leads = new int[States];
        List<int>[] before = new List<int>[States];
        for (int s = 0; s < States; s++) before[s] = [];
        for (int s = 0; s < States; s++)
        {
            foreach (int t in _next[s].Where(static t => t != Dead).Distinct())
            {
                leads[s]++;
                before[t].Add(s);
            }
        }

        bool[] endless = new bool[States];
        Array.Fill(endless, true);
        Stack<int> work = new(Enumerable.Range(0, States).Where(s => leads[s] == 0));
        while (work.TryPop(out int s))
        {
            endless[s] = false;
            foreach (int b in before[s])
            {
                if (--leads[b] == 0) work.Push(b);
            }
        }

        return _endless = endless;
    }
}
