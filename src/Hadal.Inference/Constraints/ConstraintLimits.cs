namespace Hadal.Inference.Constraints;

/// <summary>How much a schema or pattern from a stranger may ask for. Beyond a limit a <see cref="ConstraintException"/> names the place and the limit.</summary>
public sealed record ConstraintLimits
{
    /// <summary>The defaults.</summary>
    public static ConstraintLimits Default { get; } = new();

    /// <summary>Length of a schema's JSON text in UTF-8 bytes.</summary>
    public int MaxSchemaBytes { get; init; } = 256 * 1024;

    /// <summary>How deep arrays and objects of the schema's own text lie within each other (at most 256), and how many references may lead from one to the next.</summary>
    public int MaxSchemaNesting { get; init; } = 96;

    /// <summary>How many parts the grammar of a schema may have: every schema object, combination of alternatives and property is one.</summary>
    public int MaxNodes { get; init; } = 20_000;

    /// <summary>Values of all <c>enum</c> keywords together.</summary>
    public int MaxEnumValues { get; init; } = 10_000;

    /// <summary>Into how many alternatives <c>anyOf</c>, <c>oneOf</c>, <c>allOf</c> and references of one place may multiply.</summary>
    public int MaxAlternatives { get; init; } = 256;

    /// <summary>Characters of one <c>pattern</c>.</summary>
    public int MaxPatternLength { get; init; } = 2_000;

    /// <summary>States of all automata of one schema together (patterns, formats, ranges of numbers).</summary>
    public int MaxAutomatonStates { get; init; } = 20_000;

    /// <summary>How deep arrays and objects of the generated text lie within each other. .NET's own JSON reader stops at 64.</summary>
    public int MaxNesting { get; init; } = 64;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSchemaBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSchemaNesting, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxSchemaNesting, 256);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxNodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxEnumValues, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAlternatives, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPatternLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAutomatonStates, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxNesting, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxNesting, 1000);
    }
}
