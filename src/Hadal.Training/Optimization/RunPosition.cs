namespace Hadal.Training.Optimization;

/// <summary>Where a run stands, in tokens, against the points that settings name.</summary>
/// <param name="Tokens">Tokens seen before the step in hand.</param>
/// <param name="LastTokens">Tokens seen before the last step of the run: where the share 1 is.</param>
internal readonly record struct RunPosition(long Tokens, long LastTokens)
{
    /// <summary>A point in tokens: shares are numbers up to 1.</summary>
    public double Place(double point) => point <= 1 ? point * LastTokens : point;

    /// <summary>The value that holds here.</summary>
    /// <param name="value">The value of the beginning.</param>
    /// <param name="changes">In the order of their points.</param>
    public double Value(double value, IReadOnlyList<ValueChange> changes)
    {
        foreach (var change in changes)
        {
            if (Tokens >= Place(change.From)) value = change.Value;
        }

        return value;
    }
}
