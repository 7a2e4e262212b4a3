using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>Parts one after the other. Places: how many are done.</summary>
internal sealed class Series(params GrammarNode[] parts) : Structure
{
    internal override IEnumerable<GrammarNode> Parts => parts;

    internal override void Expand(TerminalState place, Expansion expansion)
    {
        if (place.State == parts.Length) expansion.End();
        else if (place.State == parts.Length - 1) expansion.Tail(parts[^1]);
        else expansion.Call(parts[place.State], new TerminalState(place.State + 1, 0));
    }

    internal override int LeastNesting() => parts.Length == 0 ? 0 : parts.Max(static p => p.MinNesting);
}
