using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Hadal.Data.Shards;

/// <summary>A shard that is still growing. Memory: 4 bytes a row, and a buffer for each file.</summary>
internal sealed class ShardInProgress : IDisposable
{
    private readonly string _name, _group;
    private readonly HashedFile _tokens, _documents;
    private readonly List<uint> _rowStarts = [];
    private readonly byte[] _row;
    private readonly int _tokenBytes, _padId;
    private long _filled, _pieces;

    public ShardInProgress(string folder, string name, string group, TokenShardOptions options)
    {
        (_name, _group) = (name, group);
        _tokenBytes = ShardLayout.TokenBytes(options.VocabularySize);
        _padId = options.PadId ?? options.EndId;
        _row = new byte[options.RowTokens * _tokenBytes];
        _tokens = new HashedFile(Path.Combine(folder, name + ShardLayout.TokensSuffix));
        _documents = new HashedFile(Path.Combine(folder, name + ShardLayout.DocumentsSuffix));
        Span<byte> header = stackalloc byte[ShardLayout.HeaderBytes];
        ShardLayout.WriteHeader(header);
        _documents.Write(header);
    }

    public int Rows => _rowStarts.Count;

    public void Add(ReadOnlySpan<RowPiece> pieces, ReadOnlySpan<int> tokens)
    {
        _rowStarts.Add(checked((uint)_pieces));
        Span<byte> bytes = stackalloc byte[ShardLayout.PieceBytes];
        foreach (var piece in pieces)
        {
            ShardLayout.WritePiece(piece, bytes);
            _documents.Write(bytes);
        }

        _pieces += pieces.Length;
        _filled += tokens.Length;
        WriteTokens(tokens);
    }

    public ShardFiles Complete()
    {
        Span<byte> number = stackalloc byte[8];
        foreach (uint start in _rowStarts) WriteUInt32(start, number);
        WriteUInt32(checked((uint)_pieces), number);
        BinaryPrimitives.WriteInt64LittleEndian(number, Rows);
        _documents.Write(number);
        BinaryPrimitives.WriteInt64LittleEndian(number, _pieces);
        _documents.Write(number);
        return new ShardFiles
        {
            Name = _name,
            Group = _group,
            Rows = Rows,
            Tokens = _filled,
            Pieces = _pieces,
            TokensBytes = _tokens.Length,
            TokensSha256 = _tokens.Complete(),
            DocumentsBytes = _documents.Length,
            DocumentsSha256 = _documents.Complete(),
        };
    }

    public void Dispose()
    {
        _tokens.Dispose();
        _documents.Dispose();
    }

    private void WriteUInt32(uint value, Span<byte> number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(number, value);
        _documents.Write(number[..4]);
    }

    private void WriteTokens(ReadOnlySpan<int> tokens)
    {
        if (_tokenBytes == 2)
        {
            Span<ushort> narrow = MemoryMarshal.Cast<byte, ushort>(_row.AsSpan());
            for (int i = 0; i < tokens.Length; i++) narrow[i] = (ushort)tokens[i];
            narrow[tokens.Length..].Fill((ushort)_padId);
            if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(narrow, narrow);
        }
        else
        {
            Span<int> wide = MemoryMarshal.Cast<byte, int>(_row.AsSpan());
            tokens.CopyTo(wide);
            wide[tokens.Length..].Fill(_padId);
            if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(wide, wide);
        }

        _tokens.Write(_row);
    }
}
