namespace Hadal.Data.Corpora;

/// <summary>How documents become two runs of tokens.</summary>
public sealed record TokenCorpusOptions
{
    /// <summary>Number of ids: every id the encoder gives is in [0, VocabularySize).</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The id put after each document.</summary>
    public required int EndOfSequenceId { get; init; }

    /// <summary>Share of the documents kept for validation, in [0, 1); 0.02 by default, 0 for none.</summary>
    public double ValidationFraction { get; init; } = 0.02;

    /// <summary>Together with a document's id it decides the document's side.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many documents are encoded at once (≥ 1). The result does not depend on it; above 1 the encoder must be safe to call from several threads.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Reading stops after the document with which the corpus reaches so many tokens; null for the whole of it.</summary>
    public long? MaximumTokens { get; init; }
}
