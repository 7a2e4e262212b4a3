using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Hadal.Numerics;

namespace Hadal.Data.Shards;

/// <summary>One shard, mapped into memory.</summary>
internal sealed class TokenShard : IDisposable
{
    private readonly MappedFile _tokens, _documents;
    private readonly int _rowTokens, _tokenBytes, _vocabularySize;

    /// <exception cref="DataException">A file is missing, or has another size or another header than described.</exception>
    public TokenShard(string folder, ShardFiles files, DatasetManifest manifest)
    {
        Files = files;
        (_rowTokens, _vocabularySize, _tokenBytes) = (manifest.RowTokens, manifest.VocabularySize, ShardLayout.TokenBytes(manifest.VocabularySize));
        _tokens = Map(Path.Combine(folder, files.Name + ShardLayout.TokensSuffix), files.TokensBytes);
        try
        {
            _documents = Map(Path.Combine(folder, files.Name + ShardLayout.DocumentsSuffix), files.DocumentsBytes);
            try
            {
                CheckIndex();
            }
            catch
            {
                _documents.Dispose();
                throw;
            }
        }
        catch
        {
            _tokens.Dispose();
            throw;
        }
    }

    public ShardFiles Files { get; }

    /// <summary>Tokens of a row that are not padding.</summary>
    public int Filled(int row)
    {
        var (first, count) = Range(row);
        if (count == 0) return 0;
        var last = Piece(first + count - 1);
        long end = (long)last.Start + last.Length;
        return last.Start >= 0 && last.Length >= 1 && end <= _rowTokens ? (int)end : throw Damaged(_documents, $"a piece of row {row} reaches outside it");
    }

    public RowPiece[] Pieces(int row)
    {
        var (first, count) = Range(row);
        if (count > _rowTokens) throw Damaged(_documents, $"row {row} has {count} pieces in {_rowTokens} places");
        var pieces = new RowPiece[count];
        int place = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            pieces[i] = Piece(first + i);
            if (pieces[i].Start != place || pieces[i].Length < 1 || pieces[i].Length > _rowTokens - place || pieces[i].Document < 0 || pieces[i].Epoch < 0 || pieces[i].Offset < 0)
                throw Damaged(_documents, $"the pieces of row {row} do not follow each other");
            place += pieces[i].Length;
        }

        return pieces;
    }

    /// <summary>Copies the tokens of a row, padding included. Allocates nothing.</summary>
    public void Read(int row, Span<int> tokens)
    {
        var bytes = RowBytes(row);
        uint largest = 0;
        if (_tokenBytes == 2)
        {
            var narrow = MemoryMarshal.Cast<byte, ushort>(bytes);
            for (int i = 0; i < narrow.Length; i++)
            {
                uint id = BitConverter.IsLittleEndian ? narrow[i] : BinaryPrimitives.ReverseEndianness(narrow[i]);
                tokens[i] = (int)id;
                largest = Math.Max(largest, id);
            }
        }
        else
        {
            var wide = MemoryMarshal.Cast<byte, uint>(bytes);
            for (int i = 0; i < wide.Length; i++)
            {
                uint id = BitConverter.IsLittleEndian ? wide[i] : BinaryPrimitives.ReverseEndianness(wide[i]);
                tokens[i] = (int)id;
                largest = Math.Max(largest, id);
            }
        }

        if (largest >= (uint)_vocabularySize) throw Damaged(_tokens, $"row {row} has token {largest}, outside the vocabulary of {_vocabularySize}");
    }

    /// <summary>Touches every page of a row and of what is said of it, so that reading them waits for no disk.</summary>
    /// <returns>Something that depends on what was read.</returns>
    public int Touch(int row)
    {
        var bytes = RowBytes(row);
        int sum = Filled(row);
        for (int i = 0; i < bytes.Length; i += 4096) sum += bytes[i];
        return sum + bytes[^1];
    }

    /// <summary>Looks whether the files are still there with their sizes. Reading behind the end of a mapped file that was cut would end the process without a word.</summary>
    /// <exception cref="DataException">They are not.</exception>
    public void RequirePresent()
    {
        foreach (var file in (ReadOnlySpan<MappedFile>)[_tokens, _documents])
        {
            var found = new FileInfo(file.Path);
            if (!found.Exists) throw new DataException($"{file.Path} is gone.", file.Path);
            if (found.Length != file.Length) throw new DataException($"{file.Path} has {found.Length} bytes, but had {file.Length} when it was opened.", file.Path);
        }
    }

    /// <exception cref="DataException">A file is not what was written.</exception>
    public void Verify(CancellationToken cancellation)
    {
        Verify(_tokens, Files.TokensSha256, cancellation);
        Verify(_documents, Files.DocumentsSha256, cancellation);
        long filled = 0;
        for (int row = 0; row < Files.Rows; row++)
        {
            foreach (var piece in Pieces(row)) filled += piece.Length;
        }

        if (filled != Files.Tokens) throw Damaged(_documents, $"it has {filled} tokens, but {ShardLayout.Dataset} says {Files.Tokens}");
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _documents.Dispose();
    }

    internal static MappedFile Map(string path, long bytes)
    {
        MappedFile file;
        try
        {
            file = MappedFile.Open(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{path} is missing; {ShardLayout.Dataset} says that it belongs to the dataset.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read ({e.Message.TrimEnd('.')}).", path, e);
        }

        if (file.Length == bytes) return file;
        long found = file.Length;
        file.Dispose();
        throw new DataException($"{path} has {found} bytes, but {ShardLayout.Dataset} says {bytes}; it was cut or does not belong there.", path);
    }

    internal static void Verify(MappedFile file, string sha256, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < file.Length; at += 1 << 22)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(file.Bytes(at, (int)Math.Min(1 << 22, file.Length - at)));
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != sha256) throw Damaged(file, $"its SHA-256 is not the one in {ShardLayout.Dataset}");
    }

    private static DataException Damaged(MappedFile file, string what) => new($"{file.Path} is damaged: {what}.", file.Path);

    private void CheckIndex()
    {
        Span<byte> header = stackalloc byte[ShardLayout.HeaderBytes];
        ShardLayout.WriteHeader(header);
        if (!_documents.Bytes(0, ShardLayout.HeaderBytes).SequenceEqual(header)) throw Damaged(_documents, "it does not begin like an index of documents of this version");
        var footer = _documents.Bytes(_documents.Length - ShardLayout.FooterBytes, ShardLayout.FooterBytes);
        if (BinaryPrimitives.ReadInt64LittleEndian(footer) != Files.Rows || BinaryPrimitives.ReadInt64LittleEndian(footer[8..]) != Files.Pieces)
            throw Damaged(_documents, $"its counts of rows and pieces are not those in {ShardLayout.Dataset}");
    }

    private ReadOnlySpan<byte> RowBytes(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Files.Rows, nameof(row));
        int width = _rowTokens * _tokenBytes;
        return _tokens.Bytes((long)row * width, width);
    }

    private (long First, long Count) Range(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Files.Rows, nameof(row));
        var bytes = _documents.Bytes(ShardLayout.HeaderBytes + ShardLayout.PieceBytes * Files.Pieces + 4L * row, 8);
        long first = BinaryPrimitives.ReadUInt32LittleEndian(bytes), end = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        return first <= end && end <= Files.Pieces ? (first, end - first) : throw Damaged(_documents, $"the pieces of row {row} are outside it");
    }

    private RowPiece Piece(long index) => ShardLayout.ReadPiece(_documents.Bytes(ShardLayout.HeaderBytes + ShardLayout.PieceBytes * index, ShardLayout.PieceBytes));
}
