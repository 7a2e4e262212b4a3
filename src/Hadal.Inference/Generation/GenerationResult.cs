namespace Hadal.Inference.Generation;

/// <summary>What was generated.</summary>
public sealed record GenerationResult
{
    /// <summary>The text, without stop token and stop string.</summary>
    public required string Text { get; init; }

    /// <summary>The generated tokens, without the stop token. A token that completes a stop string is the last.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>How many of them an engine had computed before, for another text that begins alike.</summary>
    public int ReusedPromptTokens { get; init; }

    /// <summary>The stop string that ended the text; null if none did.</summary>
    public string? StopString { get; init; }

    /// <summary>Seconds that the request waited in an engine before its prompt was begun.</summary>
    public double WaitSeconds { get; init; }

    /// <summary>Seconds from the request to its first token in an engine.</summary>
    public double FirstTokenSeconds { get; init; }

    /// <summary>Why the text ended.</summary>
    public required FinishReason FinishReason { get; init; }

    /// <summary>Tokens of the prompt per second; 0 if none were computed.</summary>
    public double PrefillTokensPerSecond { get; init; }

    /// <summary>Generated tokens per second behind the first one, which the prompt gives; 0 if there was none.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Drafts made.</summary>
    public long ProposedDrafts { get; init; }

    /// <summary>Drafts accepted.</summary>
    public long AcceptedDrafts { get; init; }

    /// <summary>Accepted drafts over proposed ones; null if nothing was drafted.</summary>
    public double? AcceptanceRate => ProposedDrafts == 0 ? null : (double)AcceptedDrafts / ProposedDrafts;

    /// <summary>The seed that was used, for the same text once more.</summary>
    public ulong Seed { get; init; }
}
