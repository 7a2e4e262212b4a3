namespace Hadal.Data.Shards;

/// <summary>One shard as <c>dataset.json</c> describes it: <c>NAME.tokens</c> and <c>NAME.documents</c>.</summary>
internal sealed record ShardFiles
{
    public required string Name { get; init; }

    public required string Group { get; init; }

    public required int Rows { get; init; }

    public required long Tokens { get; init; }

    public required long Pieces { get; init; }

    public required long TokensBytes { get; init; }

    public required string TokensSha256 { get; init; }

    public required long DocumentsBytes { get; init; }

    public required string DocumentsSha256 { get; init; }
}
