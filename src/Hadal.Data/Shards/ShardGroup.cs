namespace Hadal.Data.Shards;

/// <summary>Rows of one source, which a mixture can weigh.</summary>
public sealed record ShardGroup
{
    /// <summary>For instance <c>web</c>; <see cref="ValidationName"/> is never trained on.</summary>
    public required string Name { get; init; }

    /// <summary>Number of rows (≥ 1).</summary>
    public required long Rows { get; init; }

    /// <summary>Tokens in them, without padding.</summary>
    public required long Tokens { get; init; }

    /// <summary>Pieces of documents in them.</summary>
    public required long Pieces { get; init; }

    /// <summary>Name of the group that is kept for validation.</summary>
    public const string ValidationName = "validation";
}
