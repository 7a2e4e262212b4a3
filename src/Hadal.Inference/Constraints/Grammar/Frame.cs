using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>Where a structure goes on when the part that it is in has ended, and so on outwards: a stack, of which equal ones are one object.</summary>
internal sealed class Frame(Structure node, TerminalState place, Frame? parent, object generation)
{
    internal Structure Node => node;

    internal TerminalState Place => place;

    internal Frame? Parent => parent;

    /// <summary>The tables of the machine that it is in.</summary>
    internal object Generation => generation;

    /// <summary>Arrays and objects that are open.</summary>
    internal int Nesting { get; } = (parent?.Nesting ?? 0) + (node.IsContainer ? 1 : 0);

    /// <summary>Objects that are open.</summary>
    internal int Objects { get; } = (parent?.Objects ?? 0) + (node.IsObject ? 1 : 0);

    /// <summary>The state after the part has ended, once it was asked for.</summary>
    internal MachineState? Ended { get; set; }
}
