namespace Hadal.Serving.Load;

/// <summary>How a request ended.</summary>
public enum LoadOutcome
{
    /// <summary>With its answer.</summary>
    Answered,

    /// <summary>Given up on purpose.</summary>
    GivenUp,

    /// <summary>With an error.</summary>
    Failed,

    /// <summary>The measurement was stopped before.</summary>
    Unfinished,
}

/// <summary>What one request met. Times are seconds from when it was due.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="IsSlow">Whether its reader paused on purpose: its times say nothing of the server.</param>
/// <param name="FirstToken">Until the first piece of the answer; null if there was none.</param>
/// <param name="End">Until it ended.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CachedTokens">How many of them the server says it had computed before.</param>
/// <param name="AnswerTokens">Tokens of the answer.</param>
/// <param name="Gaps">Seconds between pieces.</param>
/// <param name="Error">What the server said; null if it was no error.</param>
public sealed record LoadMeasurement(
    LoadOutcome Outcome, bool IsSlow, double? FirstToken, double End, int PromptTokens, int CachedTokens, int AnswerTokens, IReadOnlyList<double> Gaps, string? Error)
{
    /// <summary>Seconds per token behind the first; null for answers of one token.</summary>
    public double? PerToken => Outcome == LoadOutcome.Answered && AnswerTokens > 1 && FirstToken is { } first ? (End - first) / (AnswerTokens - 1) : null;
}
