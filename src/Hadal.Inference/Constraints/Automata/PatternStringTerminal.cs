namespace Hadal.Inference.Constraints.Automata;

/// <summary>A JSON string whose characters an automaton accepts, however they are spelled. States: a place of <see cref="StringSyntax"/>, and the automaton's.</summary>
internal sealed class PatternStringTerminal : Terminal
{
    private readonly CharacterAutomaton _automaton;

    internal PatternStringTerminal(CharacterAutomaton automaton)
    {
        _automaton = automaton;
        if (automaton.IsEmpty) MinNesting = int.MaxValue;
    }

    internal override TerminalState Start => new(StringSyntax.Start, 0);

    internal override bool Step(ref TerminalState state, byte value)
    {
        int place = StringSyntax.Step(state.State, value, out int character), inner = (int)state.Data;
        if (place < 0) return false;
        if (place == StringSyntax.Closed)
        {
            if (!_automaton.Accepts(inner)) return false;
            inner = 0;
        }
        else if (character >= 0)
        {
            inner = _automaton.Next(inner, character);
            if (inner < 0) return false;
        }
        else if (place != StringSyntax.Content)
        {
            var (low, high, low2, high2) = StringSyntax.Possible(place);
            if (!_automaton.HasNext(inner, low, high) && !(low2 <= high2 && _automaton.HasNext(inner, low2, high2))) return false;
        }

        state = new TerminalState(place, inner);
        return true;
    }

    internal override bool CanEnd(TerminalState state) => state.State == StringSyntax.Closed;

    internal override bool CanContinue(TerminalState state) => state.State != StringSyntax.Closed;

    internal override (Terminal Terminal, TerminalState State) Canonical(TerminalState state, int longest)
    {
        if (state.State == StringSyntax.Closed || !_automaton.IsUniversal((int)state.Data) || (IsOpenName && state.State == StringSyntax.Start)) return (this, state);
        return PlainStringTerminal.Any.Canonical(new TerminalState(state.State, PlainStringTerminal.Any.Start.Data), longest);
    }
}
