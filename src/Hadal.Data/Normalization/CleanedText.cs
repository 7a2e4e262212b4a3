namespace Hadal.Data.Normalization;

/// <summary>A text after cleaning and what was changed in it.</summary>
/// <param name="Text">The cleaned text; the very string given if nothing changed.</param>
/// <param name="Counts">What was changed.</param>
/// <param name="OriginalLength">Length of the text as it came, in UTF-16 units.</param>
public readonly record struct CleanedText(string Text, CleaningCounts Counts, int OriginalLength);
