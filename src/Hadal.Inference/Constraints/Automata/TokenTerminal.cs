namespace Hadal.Inference.Constraints.Automata;

/// <summary>One added token, which has no bytes. States: 0 before it, 1 behind it.</summary>
internal sealed class TokenTerminal(int id) : Terminal
{
    internal override int Token => id;

    internal override bool Step(ref TerminalState state, byte value) => false;

    internal override bool CanEnd(TerminalState state) => state.State == 1;

    internal override bool CanContinue(TerminalState state) => state.State == 0;
}
