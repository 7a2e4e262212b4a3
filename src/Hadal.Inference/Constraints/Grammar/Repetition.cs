using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>A part several times, with another between. Places: 0 before a turn, 1 behind it, 2 behind the separator; and how many turns are done.</summary>
internal sealed class Repetition(GrammarNode part, GrammarNode? separator, int least, int greatest) : Structure
{
    internal override IEnumerable<GrammarNode> Parts => separator is null ? [part] : [part, separator];

    internal override void Expand(TerminalState place, Expansion expansion)
    {
        long done = place.Data;
        if (place.State != 2 && done >= least) expansion.End();
        if (done >= greatest && greatest != int.MaxValue) return;
        // Turns beyond the least number are not counted where there is no greatest.
        long next = greatest == int.MaxValue ? Math.Min(done + 1, Math.Max(least, 1)) : done + 1;
        if (place.State != 2 && !expansion.Fits(part)) return;
        if (place.State == 1 && separator is not null) expansion.Call(separator, new TerminalState(2, done));
        else expansion.Call(part, new TerminalState(1, next));
    }

    internal override int LeastNesting() => least == 0 ? 0 : Math.Max(part.MinNesting, separator?.MinNesting ?? 0);
}
