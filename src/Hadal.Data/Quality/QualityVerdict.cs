namespace Hadal.Data.Quality;

/// <summary>What the rules say about a text.</summary>
/// <param name="Rule">The first rule that it breaks, by its name in a recipe (<c>max_duplicate_grams.5</c> for one n); null if it keeps them all.</param>
/// <param name="Value">What was measured for that rule; 0 if there is none.</param>
/// <param name="Limit">That rule's threshold; 0 if there is none.</param>
/// <param name="Text">The text without the lines that rules on lines remove; the same object if there are none.</param>
/// <param name="RemovedLines">How many lines were removed.</param>
public readonly record struct QualityVerdict(string? Rule, double Value, double Limit, string Text, int RemovedLines)
{
    /// <summary>Whether the text stays.</summary>
    public bool IsKept => Rule is null;
}
