namespace Hadal.Data.Shards;

/// <summary>What a dataset of token shards is made of.</summary>
public sealed record TokenShardOptions
{
    /// <summary>L, places of a row (1 to 2²⁴).</summary>
    public required int RowTokens { get; init; }

    /// <summary>Every id is in [0, VocabularySize); up to 65,536 a token takes two bytes, else four.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The id behind each document; the writer does not add it.</summary>
    public required int EndId { get; init; }

    /// <summary>The id in places without a token; null for <see cref="EndId"/>. It is never predicted.</summary>
    public int? PadId { get; init; }

    /// <summary>SHA-256 of the <c>tokenizer.json</c> that made the ids, 64 lower-case hexadecimal digits; null if unknown. Training checks it.</summary>
    public string? TokenizerSha256 { get; init; }

    /// <summary>Seed of the pipeline, kept for the record.</summary>
    public ulong Seed { get; init; }

    /// <summary>Most bytes of tokens in a shard, rounded down to whole rows, one at least; 256 MiB by default.</summary>
    public long ShardBytes { get; init; } = 256L << 20;
}
