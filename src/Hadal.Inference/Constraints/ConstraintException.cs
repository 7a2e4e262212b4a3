namespace Hadal.Inference.Constraints;

/// <summary>A constraint that cannot be used: a schema that asks for something unsupported, contradicts itself, is malformed or is beyond a limit.</summary>
public sealed class ConstraintException : Exception
{
    /// <summary>A refusal at a place of a schema.</summary>
    /// <param name="place">The place as a JSON pointer with a number sign before it, such as <c>#/properties/age/minimum</c>; null when no place is to blame.</param>
    /// <param name="message">What is wrong and what would be right, without the place.</param>
    /// <param name="inner">The fault that led here, if any.</param>
    public ConstraintException(string? place, string message, Exception? inner = null)
        : base(place is null ? message : $"{place}: {message}", inner) => Place = place;

    /// <summary>The place in the schema, such as <c>#/properties/age/minimum</c>, or null.</summary>
    public string? Place { get; }
}
