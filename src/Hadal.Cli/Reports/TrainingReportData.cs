using Hadal.Training.Metrics;

namespace Hadal.Cli.Reports;

/// <summary>What <see cref="TrainingReport"/> is written from. Whatever is null or empty is left out of the page.</summary>
public sealed record TrainingReportData
{
    /// <summary>Heading of the page.</summary>
    public required string Title { get; init; }

    /// <summary>The run in a sentence; null to have it made from the figures.</summary>
    public string? Summary { get; init; }

    /// <summary>What the text was, to follow "from": <c>the documentation of the .NET SDK</c>.</summary>
    public string? Corpus { get; init; }

    /// <summary>The steps in any order; of several with one number (a run that was resumed) the last counts.</summary>
    public required IReadOnlyList<StepMetrics> Steps { get; init; }

    /// <summary>Time the training took.</summary>
    public TimeSpan? Elapsed { get; init; }

    /// <summary>Parameters of the model.</summary>
    public long? Parameters { get; init; }

    /// <summary>Parameters that take part in the computation for one token.</summary>
    public long? ActiveParameters { get; init; }

    /// <summary>Validation loss at the end, in nats a token; null to take the last one among the steps.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Cross-entropy of the smoothed bigram model on the same validation text, in nats a token.</summary>
    public double? BigramLoss { get; init; }

    /// <summary>Share of the tokens drafted by the MTP module that the model accepted, 0 to 1, over all samples.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Decoding speed without drafts, in tokens per second.</summary>
    public double? DecodeTokensPerSecond { get; init; }

    /// <summary>Decoding speed with drafts, in tokens per second.</summary>
    public double? DecodeTokensPerSecondSpeculative { get; init; }

    /// <summary>Number of the first layer with experts, to name layers as the tensors do; null to count the expert layers from 1.</summary>
    public int? FirstExpertLayer { get; init; }

    /// <summary>Prompts and completions.</summary>
    public IReadOnlyList<ReportSample> Samples { get; init; } = [];

    /// <summary>Shape of the model.</summary>
    public IReadOnlyList<ReportRow> Shape { get; init; } = [];

    /// <summary>Settings of the run.</summary>
    public IReadOnlyList<ReportRow> Settings { get; init; } = [];

    /// <summary>The command that makes the same run again.</summary>
    public string? Command { get; init; }
}
