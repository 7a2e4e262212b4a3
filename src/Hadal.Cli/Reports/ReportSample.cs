namespace Hadal.Cli.Reports;

/// <summary>A prompt and what the trained model made of it.</summary>
public sealed record ReportSample
{
    /// <summary>The text that was given.</summary>
    public required string Prompt { get; init; }

    /// <summary>The text that came back, without the prompt, decoded one token at a time.</summary>
    public required string Text { get; init; }

    /// <summary>The text that came back with MTP drafts; null where no drafts were used.</summary>
    public string? TextSpeculative { get; init; }

    /// <summary>Share of the drafted tokens that the model accepted, 0 to 1; null where no drafts were used.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Decoding speed without drafts, in tokens per second.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Decoding speed with drafts, in tokens per second.</summary>
    public double? TokensPerSecondSpeculative { get; init; }
}
