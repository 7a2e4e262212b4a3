using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints.Automata;

/// <summary>A deterministic automaton over bytes, of which only those states exist from which an end can be reached. Immutable.</summary>
internal abstract class Terminal : GrammarNode
{
    protected Terminal() => MinNesting = 0;

    internal virtual TerminalState Start => default;

    /// <summary>Whether masks of this terminal may be kept with the vocabulary: it is one for all grammars.</summary>
    internal bool IsShared { get; init; }

    /// <summary>Whether it reads names of an object that no schema lists; see <see cref="Grammar.UsedNames"/>.</summary>
    internal bool IsOpenName { get; init; }

    /// <summary>Whether it stands between such a name and its value.</summary>
    internal bool IsOpenNameEnd { get; init; }

    /// <summary>The added token that it consists of, or -1.</summary>
    internal virtual int Token => -1;

    /// <summary>Takes a byte.</summary>
    /// <returns>False, with the state undefined, when no text of the terminal goes on so.</returns>
    internal abstract bool Step(ref TerminalState state, byte value);

    /// <summary>Whether the terminal's text may end here.</summary>
    internal abstract bool CanEnd(TerminalState state);

    /// <summary>Whether another byte can follow.</summary>
    internal abstract bool CanContinue(TerminalState state);

    /// <summary>The terminal and state that allow the same tokens as this one and stand for all that do, so that one mask serves many states.</summary>
    /// <param name="state">A state of this terminal.</param>
    /// <param name="longest">Bytes of the longest token.</param>
    internal virtual (Terminal Terminal, TerminalState State) Canonical(TerminalState state, int longest) => (this, state);
}
