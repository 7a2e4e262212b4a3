namespace Hadal.Inference.Constraints.Automata;

/// <summary>A fixed text, with one blank behind it if wanted. States: bytes read.</summary>
internal sealed class LiteralTerminal(byte[] text, bool optionalBlank = false) : Terminal
{
    internal override bool Step(ref TerminalState state, byte value)
    {
        int place = state.State;
        if (place < text.Length ? text[place] != value : !optionalBlank || place > text.Length || value != ' ') return false;
        state = new TerminalState(place + 1, 0);
        return true;
    }

    internal override bool CanEnd(TerminalState state) => state.State >= text.Length;

    internal override bool CanContinue(TerminalState state) => state.State < text.Length + (optionalBlank ? 1 : 0);
}
