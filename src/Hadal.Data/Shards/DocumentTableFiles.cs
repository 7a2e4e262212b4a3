namespace Hadal.Data.Shards;

/// <summary>The table of documents as <c>dataset.json</c> describes it.</summary>
internal sealed record DocumentTableFiles
{
    public required long Count { get; init; }

    public required long TableBytes { get; init; }

    public required string TableSha256 { get; init; }

    public required long IndexBytes { get; init; }

    public required string IndexSha256 { get; init; }
}
