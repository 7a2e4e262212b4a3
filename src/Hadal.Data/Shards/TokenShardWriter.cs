using System.Globalization;
using Hadal.Model.Checkpoints;

namespace Hadal.Data.Shards;

/// <summary>Writes rows of tokens as a folder of shards: one shard at a time for each group, and at the end <c>dataset.json</c>, which makes the folder a dataset.</summary>
/// <remarks>
/// The bytes depend on what is added and in which order, and on nothing else. A shard gets its name when it is complete and flushed; a process that dies leaves a folder
/// without <c>dataset.json</c>, and writing starts again. Memory: a row and two buffers for each group, 4 bytes a row of the open shards. Not safe for several threads.
/// </remarks>
public sealed class TokenShardWriter : IDisposable
{
    private readonly string _folder;
    private readonly TokenShardOptions _options;
    private readonly DocumentTableWriter _documents;
    private readonly List<string> _groups = [];
    private readonly Dictionary<string, ShardInProgress> _open = new(StringComparer.Ordinal);
    private readonly List<ShardFiles> _shards = [];
    private readonly int _rowsPerShard;
    private int _begun;
    private long _largestDocument = -1;
    private bool _isComplete;

    /// <summary>Begins a dataset. One that is in the folder, or what is left of one, is deleted.</summary>
    /// <param name="folder">Made if it is missing.</param>
    /// <param name="options">What the dataset is made of.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public TokenShardWriter(string folder, TokenShardOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RowTokens, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.RowTokens, ShardLayout.MostRowTokens, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.VocabularySize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)options.EndId, (uint)options.VocabularySize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)(options.PadId ?? options.EndId), (uint)options.VocabularySize, nameof(options));
        (_folder, _options) = (Path.GetFullPath(folder), options);
        long rowBytes = (long)options.RowTokens * ShardLayout.TokenBytes(options.VocabularySize);
        _rowsPerShard = (int)Math.Clamp(options.ShardBytes / rowBytes, 1, 1 << 24);
        Directory.CreateDirectory(_folder);
        Clear();
        _documents = new DocumentTableWriter(_folder);
    }

    /// <summary>Rows added.</summary>
    public long Rows { get; private set; }

    /// <summary>Documents added.</summary>
    public long Documents => _documents.Count;

    /// <summary>Adds a document to the table; its tokens come with <see cref="AddRow"/>, before or after.</summary>
    /// <param name="id">What the source calls it.</param>
    /// <param name="source">Where it comes from.</param>
    /// <returns>Its number: 0, 1, 2, …</returns>
    public long AddDocument(string id, string source)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(source);
        return _documents.Add(id, source);
    }

    /// <summary>Adds a row.</summary>
    /// <param name="group">Its group (1 to 200 characters, at most 1,024 different ones); <see cref="ShardGroup.ValidationName"/> is never trained on.</param>
    /// <param name="pieces">The documents in the row, without gaps from place 0.</param>
    /// <param name="tokens">Their tokens, 1 to L; the rest of the row is filled with the pad token.</param>
    /// <exception cref="ArgumentException">Pieces and tokens do not fit each other or the row, or an id is outside the vocabulary.</exception>
    public void AddRow(string group, ReadOnlySpan<RowPiece> pieces, ReadOnlySpan<int> tokens)
    {
        ArgumentException.ThrowIfNullOrEmpty(group);
        ObjectDisposedException.ThrowIf(_isComplete, this);
        Check(pieces, tokens);
        if (!_open.TryGetValue(group, out var shard))
        {
            if (!_groups.Contains(group))
            {
                if (group.Length > 200 || _groups.Count == ShardLayout.MostGroups) throw new ArgumentException("A group's name has at most 200 characters, and there are at most 1,024 groups.", nameof(group));
                _groups.Add(group);
            }

            shard = new ShardInProgress(_folder, $"shard-{_begun++.ToString("D5", CultureInfo.InvariantCulture)}", group, _options);
            _open.Add(group, shard);
        }

        shard.Add(pieces, tokens);
        Rows++;
        foreach (var piece in pieces) _largestDocument = Math.Max(_largestDocument, piece.Document);
        if (shard.Rows == _rowsPerShard) Close(group);
    }

    /// <summary>Writes what is left and makes the folder a dataset.</summary>
    /// <exception cref="InvalidOperationException">A row has a document that was never added.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_isComplete, this);
        if (_largestDocument >= Documents) throw new InvalidOperationException($"A row has document {_largestDocument}, but only {Documents} documents were added.");
        foreach (string group in _groups)
        {
            if (_open.ContainsKey(group)) Close(group);
        }

        _shards.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name) is var order && a.Name.Length != b.Name.Length ? a.Name.Length - b.Name.Length : order);
        var byGroup = _shards.ToLookup(s => s.Group, StringComparer.Ordinal);
        var manifest = new DatasetManifest
        {
            Version = ShardLayout.Version,
            TokenType = ShardLayout.TokenBytes(_options.VocabularySize) == 2 ? "u16" : "u32",
            RowTokens = _options.RowTokens,
            Rows = Rows,
            Tokens = _shards.Sum(s => s.Tokens),
            VocabularySize = _options.VocabularySize,
            EndId = _options.EndId,
            PadId = _options.PadId ?? _options.EndId,
            TokenizerSha256 = _options.TokenizerSha256,
            Seed = _options.Seed,
            Documents = _documents.Complete(),
            Groups = [.. _groups.Select(g => new ShardGroup { Name = g, Rows = byGroup[g].Sum(s => (long)s.Rows), Tokens = byGroup[g].Sum(s => s.Tokens), Pieces = byGroup[g].Sum(s => s.Pieces) })],
            Shards = _shards,
        };
        AtomicFile.Write(Path.Combine(_folder, ShardLayout.Dataset), stream => stream.Write(manifest.ToBytes()));
        _isComplete = true;
    }

    /// <summary>Without <see cref="Complete"/>, gives the dataset up: what was being written is deleted.</summary>
    public void Dispose()
    {
        foreach (var shard in _open.Values) shard.Dispose();
        _open.Clear();
        _documents.Dispose();
    }

    private void Close(string group)
    {
        using var shard = _open[group];
        _open.Remove(group);
        _shards.Add(shard.Complete());
    }

    private void Check(ReadOnlySpan<RowPiece> pieces, ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty || tokens.Length > _options.RowTokens) throw new ArgumentException($"A row has {tokens.Length} tokens, but has to have 1 to {_options.RowTokens}.", nameof(tokens));
        int place = 0;
        foreach (var piece in pieces)
        {
            if (piece.Start != place || piece.Length < 1 || piece.Length > tokens.Length - place || piece.Document < 0 || piece.Epoch < 0 || piece.Offset < 0)
                throw new ArgumentException($"{piece} does not follow the {place} tokens before it in a row of {tokens.Length}.", nameof(pieces));
            place += piece.Length;
        }

        if (place != tokens.Length) throw new ArgumentException($"The pieces have {place} tokens, but the row {tokens.Length}.", nameof(pieces));
        foreach (int id in tokens)
        {
            if ((uint)id >= (uint)_options.VocabularySize) throw new ArgumentException($"Token {id} is outside the vocabulary of {_options.VocabularySize}.", nameof(tokens));
        }
    }

    // The description first: whatever happens next, nobody takes old and new files for one dataset.
    private void Clear()
    {
        File.Delete(Path.Combine(_folder, ShardLayout.Dataset));
        foreach (string pattern in (string[])["shard-*" + ShardLayout.TokensSuffix, "shard-*" + ShardLayout.DocumentsSuffix, "shard-*" + ShardLayout.TemporarySuffix, "documents.*" + ShardLayout.TemporarySuffix])
        {
            foreach (string file in Directory.GetFiles(_folder, pattern)) File.Delete(file);
        }
    }
}
