using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Data.Shards;

/// <summary>What <c>dataset.json</c> says. It is written last: a folder without it is not complete.</summary>
internal sealed record DatasetManifest
{
    private const long MostBytes = 64 << 20;

    private static readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
    };

    public required int Version { get; init; }

    public required string TokenType { get; init; }

    public required int RowTokens { get; init; }

    public required long Rows { get; init; }

    public required long Tokens { get; init; }

    public required int VocabularySize { get; init; }

    public required int EndId { get; init; }

    public required int PadId { get; init; }

    [JsonPropertyName("tokenizer_sha256")]
    public string? TokenizerSha256 { get; init; }

    public required ulong Seed { get; init; }

    public required DocumentTableFiles Documents { get; init; }

    public required IReadOnlyList<ShardGroup> Groups { get; init; }

    public required IReadOnlyList<ShardFiles> Shards { get; init; }

    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, _json), (byte)'\n'];

    /// <summary>Reads and checks the description, but not yet the files it describes.</summary>
    /// <exception cref="DataException">It is missing, damaged, or contradicts itself.</exception>
    public static DatasetManifest Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new DataException($"{path} is larger than {MostBytes >> 20} MiB, which no description of a dataset is.", path);
            var manifest = JsonSerializer.Deserialize<DatasetManifest>(File.ReadAllBytes(path), _json) ?? throw Wrong("is empty");
            if (manifest.Complaint() is { } complaint) throw Wrong(complaint);
            return manifest;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{path} is missing: {Path.GetDirectoryName(path)} is not a folder of token shards, or was not written to its end.", path, e);
        }
        catch (JsonException e)
        {
            throw new DataException($"{path} cannot be understood (line {(e.LineNumber ?? 0) + 1}).", path, e);
        }
        catch (OverflowException e)
        {
            throw new DataException($"{path} has counts whose sum is too large for any dataset.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read ({e.Message.TrimEnd('.')}).", path, e);
        }

        DataException Wrong(string what) => new($"{path} {what}.", path);
    }

    private string? Complaint()
    {
        if (Version != ShardLayout.Version) return $"has version {Version}, but this version of Hadal reads {ShardLayout.Version}";
        if (Groups.Any(g => g is null) || Shards.Any(s => s is null)) return "has a group or shard that is null";
        if (VocabularySize < 1) return "has no vocabulary";
        int width = ShardLayout.TokenBytes(VocabularySize);
        if (TokenType != (width == 2 ? "u16" : "u32")) return $"has token type \"{TokenType}\", but a vocabulary of {VocabularySize} is kept as u{8 * width}";
        if (RowTokens is < 1 or > ShardLayout.MostRowTokens) return $"has rows of {RowTokens} tokens; a row has 1 to {ShardLayout.MostRowTokens}";
        if ((uint)EndId >= (uint)VocabularySize || (uint)PadId >= (uint)VocabularySize) return "has an end or pad token outside its vocabulary";
        if (Groups.Count > ShardLayout.MostGroups || Groups.Any(g => g.Rows < 1) || Groups.Select(g => g.Name).Distinct(StringComparer.Ordinal).Count() != Groups.Count)
            return "has groups that are empty, doubled, or too many";
        var d = Documents;
        if (d.Count < 0 || d.TableBytes < 0 || d.IndexBytes != 8 * (d.Count / ShardLayout.IndexEvery + (d.Count % ShardLayout.IndexEvery > 0 ? 1 : 0))) return "has a table of documents whose sizes contradict each other";
        foreach (var s in Shards)
        {
            if (s.Name.Length is 0 or > 100 || !s.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')) return $"has a shard with the name \"{s.Name}\"";
            if (s.Rows < 1 || s.Pieces < 0 || s.Pieces > uint.MaxValue || s.Tokens < 0 || s.Tokens > (long)s.Rows * RowTokens
                || s.TokensBytes != (long)s.Rows * RowTokens * width || s.DocumentsBytes != ShardLayout.DocumentsBytes(s.Rows, s.Pieces)) return $"has sizes for {s.Name} that contradict each other";
        }

        // Every shard belongs to a group, and what the groups and the whole say is the sum of the shards.
        var byGroup = Shards.ToLookup(s => s.Group, StringComparer.Ordinal);
        bool fits = byGroup.Count == Groups.Count && Rows == Shards.Sum(s => (long)s.Rows) && Tokens == Shards.Sum(s => s.Tokens) && Groups.All(g =>
            g.Rows == byGroup[g.Name].Sum(s => (long)s.Rows) && g.Tokens == byGroup[g.Name].Sum(s => s.Tokens) && g.Pieces == byGroup[g.Name].Sum(s => s.Pieces));
        return fits ? null : "has groups that are not the sum of their shards";
    }
}
