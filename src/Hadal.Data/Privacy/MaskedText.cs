namespace Hadal.Data.Privacy;

/// <summary>A text after masking and what was masked in it.</summary>
/// <param name="Text">The masked text; the very string given if nothing was found.</param>
/// <param name="Counts">What was masked.</param>
public readonly record struct MaskedText(string Text, PrivacyCounts Counts);
