using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>A part made of parts. It reads nothing itself: from each of its places it says which part comes next and where it goes on afterwards.</summary>
internal abstract class Structure : GrammarNode
{
    /// <summary>Whether it counts as nesting: an array or object.</summary>
    internal virtual bool IsContainer => false;

    /// <summary>Whether it is an object.</summary>
    internal virtual bool IsObject => false;

    /// <summary>The parts within, for the computation of <see cref="GrammarNode.MinNesting"/>.</summary>
    internal abstract IEnumerable<GrammarNode> Parts { get; }

    /// <summary>Says what can come at a place. Parts without text are left out by the callee.</summary>
    internal abstract void Expand(TerminalState place, Expansion expansion);

    /// <summary><see cref="GrammarNode.MinNesting"/> from that of the parts, as far as it is known.</summary>
    internal abstract int LeastNesting();

    protected static int Deeper(int nesting) => nesting == int.MaxValue ? nesting : nesting + 1;
}
