using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>Finds for every part how deep the flattest text nests, and with it which parts have a text at all.</summary>
internal static class MinimalNesting
{
    /// <summary>Computes it for all parts below one.</summary>
    /// <returns>Whether one of them reads names that no schema lists.</returns>
    internal static bool Compute(GrammarNode root)
    {
        Dictionary<GrammarNode, List<Structure>> around = [];
        Stack<GrammarNode> found = new([root]);
        HashSet<GrammarNode> known = [root];
        Queue<Structure> work = [];
        HashSet<Structure> waiting = [];
        bool openNames = false;
        while (found.TryPop(out var node))
        {
            if (node is Terminal terminal) openNames |= terminal.IsOpenName;
            if (node is not Structure structure) continue;
            if (waiting.Add(structure)) work.Enqueue(structure);
            foreach (var part in structure.Parts)
            {
                if (!around.TryGetValue(part, out var list)) around.Add(part, list = []);
                list.Add(structure);
                if (known.Add(part)) found.Push(part);
            }
        }

        // Numbers only fall, and each change wakes those around.
        while (work.TryDequeue(out var structure))
        {
            waiting.Remove(structure);
            int nesting = structure.LeastNesting();
            if (nesting >= structure.MinNesting) continue;
            structure.MinNesting = nesting;
            if (!around.TryGetValue(structure, out var list)) continue;
            foreach (var outer in list)
            {
                if (waiting.Add(outer)) work.Enqueue(outer);
            }
        }

        return openNames;
    }
}
