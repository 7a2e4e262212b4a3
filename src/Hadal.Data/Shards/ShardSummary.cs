namespace Hadal.Data.Shards;

/// <summary>How much is in a dataset of token shards.</summary>
/// <param name="RowTokens">L, places of a row.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Tokens">Tokens in them, without padding.</param>
/// <param name="Documents">Documents in its table.</param>
/// <param name="Groups">Its groups.</param>
public sealed record ShardSummary(int RowTokens, long Rows, long Tokens, long Documents, IReadOnlyList<ShardGroup> Groups)
{
    /// <summary>Reads what <c>dataset.json</c> says.</summary>
    /// <param name="folder">The dataset.</param>
    /// <exception cref="DataException">It is none, or it contradicts itself.</exception>
    public static ShardSummary Read(string folder)
    {
        var manifest = DatasetManifest.Read(Path.Combine(folder, ShardLayout.Dataset));
        return new ShardSummary(manifest.RowTokens, manifest.Rows, manifest.Tokens, manifest.Documents.Count, manifest.Groups);
    }
}
