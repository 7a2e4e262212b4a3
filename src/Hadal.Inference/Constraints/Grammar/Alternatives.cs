using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>One of several parts. They may be added after the node exists, which is how a part refers to one that contains it.</summary>
internal sealed class Alternatives : Structure
{
    internal Alternatives(params IEnumerable<GrammarNode> options) => Options.AddRange(options);

    internal List<GrammarNode> Options { get; } = [];

    internal override IEnumerable<GrammarNode> Parts => Options;

    internal override void Expand(TerminalState place, Expansion expansion)
    {
        foreach (var option in Options) expansion.Tail(option);
    }

    internal override int LeastNesting() => Options.Count == 0 ? int.MaxValue : Options.Min(static o => o.MinNesting);
}
