namespace Hadal.Inference.Constraints.Patterns;

/// <summary>A regular expression that is malformed, unsupported or too large; the caller adds the place in the schema.</summary>
internal sealed class PatternException(string message) : Exception(message);
