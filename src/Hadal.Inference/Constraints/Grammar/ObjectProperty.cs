using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>A property that a schema lists.</summary>
internal sealed record ObjectProperty(Terminal Name, GrammarNode Value, bool IsRequired);
