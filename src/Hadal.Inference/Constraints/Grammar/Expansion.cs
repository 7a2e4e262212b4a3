using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>What a structure answers when it is asked what comes next.</summary>
internal readonly ref struct Expansion(GrammarMachine machine, Structure node, Frame? frame)
{
    /// <summary>Whether a part within the structure has a text that does not nest too deep.</summary>
    internal bool Fits(GrammarNode part) => part.HasText && machine.Fits(part, node, frame);

    /// <summary>A part comes, and the structure goes on at a place when it has ended.</summary>
    internal void Call(GrammarNode part, TerminalState next)
    {
        if (part.HasText) machine.Enter(part, node, next, frame);
    }

    /// <summary>A part comes, and the structure ends with it.</summary>
    internal void Tail(GrammarNode part)
    {
        if (part.HasText) machine.Enter(part, frame);
    }

    /// <summary>The structure may end here.</summary>
    internal void End() => machine.Leave(frame);
}
