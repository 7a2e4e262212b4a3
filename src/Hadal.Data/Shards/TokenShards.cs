using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Hadal.Data.Pipeline;
using Hadal.Numerics;

namespace Hadal.Data.Shards;

/// <summary>A dataset of packed rows of tokens, mapped into memory: opening it costs nothing but the description, and only the rows that are read are loaded.</summary>
/// <remarks>Rows are numbered through the groups in their order. Safe to read from several threads. Do not change the files while they are open.</remarks>
public sealed class TokenShards : IDisposable
{
    private readonly DatasetManifest _manifest;
    private readonly TokenShard[] _shards;
    private readonly long[] _firstRow;
    private readonly MappedFile _table, _index;

    private TokenShards(string folder, DatasetManifest manifest, List<TokenShard> shards, MappedFile table, MappedFile index)
    {
        (Folder, _manifest, _table, _index, _shards) = (folder, manifest, table, index, [.. shards]);
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(manifest.ToBytes()));
        _firstRow = new long[_shards.Length + 1];
        for (int i = 0; i < _shards.Length; i++) _firstRow[i + 1] = _firstRow[i] + _shards[i].Files.Rows;
    }

    /// <summary>The folder that was opened.</summary>
    public string Folder { get; }

    /// <summary>SHA-256 of the description, which holds those of all files: two datasets with the same are the same.</summary>
    public string Fingerprint { get; }

    /// <summary>L, places of a row.</summary>
    public int RowTokens => _manifest.RowTokens;

    /// <summary>Number of rows.</summary>
    public long Rows => _manifest.Rows;

    /// <summary>Tokens in all rows, without padding.</summary>
    public long Tokens => _manifest.Tokens;

    /// <summary>Share of the places that hold a token, in [0, 1].</summary>
    public double Fill => Rows == 0 ? 1 : Tokens / ((double)Rows * RowTokens);

    /// <summary>Number of documents.</summary>
    public long Documents => _manifest.Documents.Count;

    /// <summary>Every id is in [0, VocabularySize).</summary>
    public int VocabularySize => _manifest.VocabularySize;

    /// <summary>The id behind each document.</summary>
    public int EndId => _manifest.EndId;

    /// <summary>The id in places without a token.</summary>
    public int PadId => _manifest.PadId;

    /// <summary>SHA-256 of the tokenizer's file, where it is known.</summary>
    public string? TokenizerSha256 => _manifest.TokenizerSha256;

    /// <summary>Seed of the pipeline that wrote the dataset.</summary>
    public ulong Seed => _manifest.Seed;

    /// <summary>The groups; the rows of each follow those of the one before.</summary>
    public IReadOnlyList<ShardGroup> Groups => _manifest.Groups;

    /// <summary>Number of shards.</summary>
    public int Shards => _shards.Length;

    /// <summary>Whether a folder calls itself a dataset of token shards.</summary>
    public static bool IsDataset(string folder) => File.Exists(Path.Combine(folder, ShardLayout.Dataset));

    /// <summary>Finds the dataset that a path means: the folder itself, or the one that <c>hadal data build</c> wrote into it.</summary>
    /// <param name="path">A path, of whatever it may be.</param>
    /// <returns>The folder with the shards, or null if there are none. Where shards were not written to their end, opening the folder says so.</returns>
    public static string? Locate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ((string[])[path, Path.Combine(path, Publication.Shards)]).FirstOrDefault(f => IsDataset(f) || (Directory.Exists(f) && Directory.EnumerateFiles(f, "shard-*" + ShardLayout.TokensSuffix).Any()));
    }

    /// <summary>Opens a dataset. Sizes and headers are checked, but not every byte: see <see cref="Verify"/>.</summary>
    /// <param name="folder">The folder with <c>dataset.json</c>.</param>
    /// <exception cref="DataException">The folder is no dataset, or a file is missing, cut or damaged.</exception>
    public static TokenShards Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var manifest = DatasetManifest.Read(Path.Combine(folder, ShardLayout.Dataset));
        var opened = new List<IDisposable>();
        try
        {
            var table = Keep(TokenShard.Map(Path.Combine(folder, ShardLayout.DocumentTable), manifest.Documents.TableBytes));
            var index = Keep(TokenShard.Map(Path.Combine(folder, ShardLayout.DocumentIndex), manifest.Documents.IndexBytes));
            var byGroup = manifest.Shards.ToLookup(s => s.Group, StringComparer.Ordinal);
            var shards = new List<TokenShard>();
            foreach (var group in manifest.Groups)
            {
                foreach (var files in byGroup[group.Name]) shards.Add(Keep(new TokenShard(folder, files, manifest)));
            }

            return new TokenShards(folder, manifest, shards, table, index);
        }
        catch
        {
            foreach (var file in opened) file.Dispose();
            throw;
        }

        T Keep<T>(T file)
            where T : IDisposable
        {
            opened.Add(file);
            return file;
        }
    }

    /// <summary>Number of the first row of a group.</summary>
    /// <param name="group">Index into <see cref="Groups"/>.</param>
    public long FirstRow(int group)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)group, (uint)Groups.Count, nameof(group));
        long row = 0;
        for (int g = 0; g < group; g++) row += Groups[g].Rows;
        return row;
    }

    /// <summary>Copies a row, padding included. Allocates nothing.</summary>
    /// <param name="row">In [0, Rows).</param>
    /// <param name="tokens">[L].</param>
    /// <exception cref="DataException">The row has a token outside the vocabulary.</exception>
    public void Read(long row, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, RowTokens, nameof(tokens));
        var (shard, inside) = Find(row);
        shard.Read(inside, tokens);
    }

    /// <summary>How many of a row's tokens are not padding; they are the first ones. Allocates nothing.</summary>
    /// <param name="row">In [0, Rows).</param>
    public int Filled(long row)
    {
        var (shard, inside) = Find(row);
        return shard.Filled(inside);
    }

    /// <summary>Which documents lie in a row, in its order.</summary>
    /// <param name="row">In [0, Rows).</param>
    public IReadOnlyList<RowPiece> Pieces(long row)
    {
        var (shard, inside) = Find(row);
        return shard.Pieces(inside);
    }

    /// <summary>Name of a row's shard.</summary>
    /// <param name="row">In [0, Rows).</param>
    public string ShardOf(long row) => Find(row).Shard.Files.Name;

    /// <summary>What a document is called and where it comes from.</summary>
    /// <param name="number">In [0, Documents).</param>
    /// <exception cref="DataException">The table is damaged.</exception>
    public DocumentName Document(long number)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)number, (ulong)Documents, nameof(number));
        long at = BinaryPrimitives.ReadInt64LittleEndian(_index.Bytes(number / ShardLayout.IndexEvery * 8, 8));
        for (long skip = number % ShardLayout.IndexEvery; ; skip--)
        {
            if (at < 0 || at >= _table.Length) throw Damaged();
            var rest = _table.Bytes(at, (int)Math.Min(1 << 30, _table.Length - at));
            int end = rest.IndexOf((byte)'\n');
            if (end < 0) throw Damaged();
            if (skip == 0) return Parse(rest[..end]);
            at += end + 1;
        }

        DocumentName Parse(ReadOnlySpan<byte> line)
        {
            try
            {
                var reader = new Utf8JsonReader(line);
                using var json = JsonDocument.ParseValue(ref reader);
                if (json.RootElement.GetProperty("document").GetInt64() != number) throw Damaged();
                return new DocumentName(json.RootElement.GetProperty("id").GetString() ?? "", json.RootElement.GetProperty("source").GetString() ?? "");
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                throw Damaged(e);
            }
        }

        DataException Damaged(Exception? inner = null) => new($"{_table.Path} is damaged: it has no line for document {number} where the index says.", _table.Path, inner);
    }

    /// <summary>Reads every byte and compares the checksums.</summary>
    /// <param name="cancellation">Stops between blocks.</param>
    /// <exception cref="DataException">A file is not what was written.</exception>
    public void Verify(CancellationToken cancellation = default)
    {
        TokenShard.Verify(_table, _manifest.Documents.TableSha256, cancellation);
        TokenShard.Verify(_index, _manifest.Documents.IndexSha256, cancellation);
        foreach (var shard in _shards) shard.Verify(cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in _shards) shard.Dispose();
        _table.Dispose();
        _index.Dispose();
    }

    /// <summary>Looks whether a row's files are still there.</summary>
    /// <exception cref="DataException">They are not, or have other sizes.</exception>
    internal void RequirePresent(long row) => Find(row).Shard.RequirePresent();

    /// <summary>Loads a row's pages.</summary>
    internal int Touch(long row)
    {
        var (shard, inside) = Find(row);
        shard.RequirePresent();
        return shard.Touch(inside);
    }

    private (TokenShard Shard, int Row) Find(long row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)row, (ulong)Rows, nameof(row));
        int index = Array.BinarySearch(_firstRow, row);
        if (index < 0) index = ~index - 1;
        return (_shards[index], (int)(row - _firstRow[index]));
    }
}
