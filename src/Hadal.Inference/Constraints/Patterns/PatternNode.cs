namespace Hadal.Inference.Constraints.Patterns;

/// <summary>A part of a regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>One character of some ranges.</summary>
    internal sealed record One(CharacterRanges Ranges) : PatternNode;

    /// <summary>Parts one after the other; none is the empty text.</summary>
    internal sealed record Series(IReadOnlyList<PatternNode> Parts) : PatternNode;

    internal sealed record Either(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>A part several times; <see cref="int.MaxValue"/> for any number.</summary>
    internal sealed record Repeated(PatternNode Part, int Least, int Greatest) : PatternNode;

    /// <summary>The start of the text, or its end.</summary>
    internal sealed record Anchor(bool AtEnd) : PatternNode;
}
