namespace Hadal.Data.Shards;

/// <summary>How rows of a dataset become the batches of a run.</summary>
public sealed record ShardBatchOptions
{
    /// <summary>Predictions a sequence makes: the dataset's L, or L - 1.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>Sequences of a step, over all ranks together (≥ 1).</summary>
    public required int BatchSequences { get; init; }

    /// <summary>Sequences in a micro-batch of one rank (≥ 1).</summary>
    public required int MicroBatchSequences { get; init; }

    /// <summary>Decides the order.</summary>
    public ulong Seed { get; init; }

    /// <summary>Decides, in a dataset without a group for it, which rows are kept for validation.</summary>
    public ulong SplitSeed { get; init; }

    /// <summary>Share of the rows kept for validation, 0 to 0.5. In a dataset with a group for it, that group is used whenever this is above 0.</summary>
    public double ValidationShare { get; init; }

    /// <summary>Weight of each group (≥ 0; a group without one is left out); null for rows as the dataset has them, each once an epoch.</summary>
    public IReadOnlyDictionary<string, double>? Weights { get; init; }

    /// <summary>Whether attention stays inside a document, and no document is predicted from the one before it; otherwise documents of a row see each other, as in pre-training (report section 4.1).</summary>
    public bool MaskDocuments { get; init; }

    /// <summary>This rank, in [0, Ranks).</summary>
    public int Rank { get; init; }

    /// <summary>Data-parallel ranks (≥ 1). The global batch does not depend on it.</summary>
    public int Ranks { get; init; } = 1;
}
