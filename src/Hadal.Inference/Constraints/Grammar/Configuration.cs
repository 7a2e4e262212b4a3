using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>One way to read the text so far: a place in a terminal, and what follows it.</summary>
internal readonly struct Configuration(Terminal terminal, TerminalState place, Frame? frame) : IEquatable<Configuration>
{
    internal Terminal Terminal => terminal;

    internal TerminalState Place => place;

    internal Frame? Frame => frame;

    public bool Equals(Configuration other)
        => ReferenceEquals(terminal, other.Terminal) && ReferenceEquals(frame, other.Frame) && place == other.Place;

    public override bool Equals(object? obj) => obj is Configuration other && Equals(other);

    public override int GetHashCode()
        => HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(terminal), frame is null ? 0 : System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(frame), place);
}
