namespace Hadal.Inference.Constraints.Automata;

/// <summary>A place within a node of a grammar; what the two numbers mean is the node's own affair.</summary>
internal readonly record struct TerminalState(int State, long Data);
