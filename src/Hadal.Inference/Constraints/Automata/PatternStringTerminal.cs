namespace Hadal.Inference.Constraints.Automata;

/// <summary>
/// A JSON string whose characters an automaton accepts, however they are spelled. States: a place of <see cref="StringSyntax"/>; the automaton's state, and how many characters must
/// and may still come.
/// </summary>
/// <remarks>
/// Counts beside the automaton need one that can always go on once it accepts (<see cref="CharacterAutomaton.AcceptsLonger"/>): then a text can be completed if the shortest way to
/// an end is not longer than what may come. All others have their lengths in the automaton.
/// </remarks>
internal sealed class PatternStringTerminal : Terminal
{
    /// <summary>Counts from here on are as good as none: no text is as long.</summary>
    internal const int Unlimited = (1 << CountBits) - 1;

    private const int CountBits = 22;
    private const int StateBits = 20;

    private readonly CharacterAutomaton _automaton;
    private readonly int _least, _greatest;

    internal PatternStringTerminal(CharacterAutomaton automaton, int least = 0, int greatest = Unlimited)
    {
        (_automaton, _least, _greatest) = (automaton, Math.Min(least, Unlimited - 1), Math.Min(greatest, Unlimited));
        if (automaton.IsEmpty || automaton.ToEnd(0) > _greatest) MinNesting = int.MaxValue;
    }

    internal override TerminalState Start => new(StringSyntax.Start, Pack(0, _least, _greatest));

    internal override bool Step(ref TerminalState state, byte value)
    {
        int place = StringSyntax.Step(state.State, value, out int character);
        if (place < 0) return false;
        var (inner, must, may) = Unpack(state.Data);
        if (place == StringSyntax.Closed)
        {
            if (must > 0 || !_automaton.Accepts(inner)) return false;
            state = new TerminalState(place, 0);
            return true;
        }

        if (character >= 0)
        {
            inner = _automaton.Next(inner, character);
            if (may != Unlimited) may--;
            if (inner < 0 || _automaton.ToEnd(inner) > may) return false;
            state = new TerminalState(place, Pack(inner, Math.Max(must - 1, 0), may));
            return true;
        }

        if (place != StringSyntax.Content)
        {
            var (low, high, low2, high2) = StringSyntax.Possible(place);
            int left = may == Unlimited ? may : may - 1;
            if (!_automaton.HasNext(inner, low, high, left) && !(low2 <= high2 && _automaton.HasNext(inner, low2, high2, left))) return false;
        }

        state = new TerminalState(place, state.Data);
        return true;
    }

    internal override bool CanEnd(TerminalState state) => state.State == StringSyntax.Closed;

    internal override bool CanContinue(TerminalState state) => state.State != StringSyntax.Closed;

    internal override (Terminal Terminal, TerminalState State) Canonical(TerminalState state, int longest)
    {
        if (state.State == StringSyntax.Closed || (IsOpenName && state.State == StringSyntax.Start)) return (this, state);
        var (inner, must, may) = Unpack(state.Data);
        if (_automaton.IsUniversal(inner))
            return PlainStringTerminal.Any.Canonical(new TerminalState(state.State, PlainStringTerminal.Pack(must, may == Unlimited ? PlainStringTerminal.Unlimited : may)), longest);
        // One token has no more characters than bytes.
        return (this, new TerminalState(state.State, Pack(inner, Math.Min(must, longest + 1), may > longest + _automaton.FarthestEnd ? Unlimited : may)));
    }

    private static long Pack(int inner, int must, int may) => (uint)inner | (long)must << StateBits | (long)may << (StateBits + CountBits);

    private static (int Inner, int Must, int May) Unpack(long data)
        => ((int)(data & ((1 << StateBits) - 1)), (int)(data >> StateBits) & Unlimited, (int)(data >> (StateBits + CountBits)) & Unlimited);
}
