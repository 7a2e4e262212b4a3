namespace Hadal.Inference.Constraints.Grammar;

/// <summary>A part of a grammar: a terminal, which reads bytes, or a structure of other parts. Immutable once its grammar is compiled.</summary>
internal abstract class GrammarNode
{
    /// <summary>How many arrays and objects lie within each other in the flattest text of the part; <see cref="int.MaxValue"/> for a part without any text.</summary>
    internal int MinNesting { get; set; } = int.MaxValue;

    internal bool HasText => MinNesting != int.MaxValue;
}
