namespace Hadal.Inference.Constraints.Automata;

/// <summary>
/// A JSON string of any characters, a least and a greatest number of them. States: a place of <see cref="StringSyntax"/>, and how many characters must and may
/// still come. They count down, so that the states of all lengths are those of one automaton, which all grammars share.
/// </summary>
internal sealed class PlainStringTerminal(int least, int greatest) : Terminal
{
    /// <summary>As many characters as wanted.</summary>
    internal const int Unlimited = int.MaxValue;

    private const int CountBits = 31;

    internal static PlainStringTerminal Any { get; } = new(0, Unlimited) { IsShared = true };

    internal override TerminalState Start => new(StringSyntax.Start, Pack(least, greatest));

    internal override bool Step(ref TerminalState state, byte value)
    {
        int place = StringSyntax.Step(state.State, value, out int character);
        if (place < 0) return false;
        long data = state.Data;
        var (must, may) = Counts(state);
        if (place == StringSyntax.Closed)
        {
            if (must > 0) return false;
            data = 0;
        }
        else
        {
            // A character that was begun must have its place.
            if (may == 0 && state.State != StringSyntax.Start) return false;
            if (character >= 0 && (must > 0 || may != Unlimited)) data = Pack(Math.Max(must - 1, 0), may == Unlimited ? may : may - 1);
        }

        state = new TerminalState(place, data);
        return true;
    }

    internal override bool CanEnd(TerminalState state) => state.State == StringSyntax.Closed;

    internal override bool CanContinue(TerminalState state) => state.State != StringSyntax.Closed;

    internal override (Terminal Terminal, TerminalState State) Canonical(TerminalState state, int longest)
    {
        if (IsOpenName && state.State == StringSyntax.Start) return (this, state);
        var (must, may) = Counts(state);
        // One token has no more characters than bytes, and closing comes after them.
        return (Any, new TerminalState(state.State, Pack(Math.Min(must, longest + 1), may > longest ? Unlimited : may)));
    }

    /// <summary>How many characters must and may come in a state.</summary>
    internal static (int Must, int May) Counts(TerminalState state) => ((int)(state.Data & int.MaxValue), (int)(state.Data >> CountBits));

    internal static long Pack(int must, int may) => (uint)must | (long)may << CountBits;
}
