using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Hadal.Data.Exports.Columnar;

/// <summary>A column of strings in the row group that is being filled: whole pages are packed at once, so that little more than packed bytes is held.</summary>
/// <remarks>Format: Parquet data pages of version 1, PLAIN values, RLE levels, Zstandard.</remarks>
/// <param name="name">The column's name.</param>
/// <param name="optional">Whether values may be missing.</param>
internal sealed class StringColumn(string name, bool optional) : IDisposable
{
    private const int PageBytes = 1 << 20;
    private const int PageRows = 20_000;

    private readonly ArrayBufferWriter<byte> _values = new(1 << 16);
    private readonly List<(int Count, bool Present)> _runs = [];
    private readonly MemoryStream _pages = new();
    private readonly ZstdSharp.Compressor _packer = new(3);
    private int _rowsInPage;
    private long _rows;
    private long _unpacked;

    /// <summary>The column's name.</summary>
    public string Name { get; } = name;

    /// <summary>Describes the column in the footer's schema.</summary>
    public void WriteSchema(ThriftWriter footer) =>
        footer.Begin().Int32(1, 6).Int32(3, optional ? 1 : 0).Text(4, Name).Int32(6, 0).Begin(10).Begin(1).End().End().End();

    /// <summary>Adds a value; null for a missing one.</summary>
    /// <returns>Bytes that it takes, unpacked.</returns>
    public int Add(string? value)
    {
        int bytes = 0;
        if (value is not null)
        {
            // Halves of surrogate pairs become U+FFFD.
            int length = Encoding.UTF8.GetByteCount(value);
            Span<byte> target = _values.GetSpan(length + 4);
            BinaryPrimitives.WriteInt32LittleEndian(target, length);
            Encoding.UTF8.GetBytes(value, target[4..]);
            _values.Advance(bytes = length + 4);
        }

        if (_runs.Count > 0 && _runs[^1].Present == value is not null) _runs[^1] = (_runs[^1].Count + 1, value is not null);
        else _runs.Add((1, value is not null));
        _rows++;
        if (++_rowsInPage == PageRows || _values.WrittenCount >= PageBytes) EndPage();
        return bytes;
    }

    /// <summary>Writes the column's pages and begins anew.</summary>
    /// <param name="stream">Where the pages go.</param>
    /// <param name="offset">Where that is in the file.</param>
    /// <returns>What the footer says of them.</returns>
    public Chunk Flush(Stream stream, long offset)
    {
        if (_rowsInPage > 0) EndPage();
        var chunk = new Chunk(Name, _rows, _unpacked, _pages.Length, offset);
        _pages.WriteTo(stream);
        _pages.SetLength(0);
        _rows = _unpacked = 0;
        return chunk;
    }

    public void Dispose()
    {
        _packer.Dispose();
        _pages.Dispose();
    }

    private void EndPage()
    {
        byte[] levels = optional ? Levels() : [];
        int length = levels.Length + _values.WrittenCount;
        byte[] page = ArrayPool<byte>.Shared.Rent(length);
        levels.CopyTo(page, 0);
        _values.WrittenSpan.CopyTo(page.AsSpan(levels.Length));
        byte[] packed = ArrayPool<byte>.Shared.Rent(ZstdSharp.Compressor.GetCompressBound(length));
        int size = _packer.Wrap(page.AsSpan(0, length), packed.AsSpan());
        ReadOnlySpan<byte> header = new ThriftWriter()
            .Int32(1, 0).Int32(2, length).Int32(3, size).Int32(4, (int)Crc32.HashToUInt32(packed.AsSpan(0, size)))
            .Begin(5).Int32(1, _rowsInPage).Int32(2, 0).Int32(3, 3).Int32(4, 3).End()
            .End().Written;
        _pages.Write(header);
        _pages.Write(packed, 0, size);
        _unpacked += header.Length + length;
        ArrayPool<byte>.Shared.Return(page);
        ArrayPool<byte>.Shared.Return(packed);
        _values.ResetWrittenCount();
        _runs.Clear();
        _rowsInPage = 0;
    }

    // The length, then for each run its count (the last bit says that it is one) and whether its values are there.
    private byte[] Levels()
    {
        var bytes = new List<byte>(4 + (2 * _runs.Count)) { 0, 0, 0, 0 };
        foreach ((int count, bool present) in _runs)
        {
            uint header = (uint)count << 1;
            for (; header >= 0x80; header >>= 7) bytes.Add((byte)(header | 0x80));
            bytes.Add((byte)header);
            bytes.Add(present ? (byte)1 : (byte)0);
        }

        byte[] levels = [.. bytes];
        BinaryPrimitives.WriteInt32LittleEndian(levels, levels.Length - 4);
        return levels;
    }

    /// <summary>A column in a row group that was written.</summary>
    internal sealed record Chunk(string Name, long Rows, long Unpacked, long Packed, long Offset)
    {
        public void Write(ThriftWriter footer) => footer.Begin().Int64(2, 0).Begin(3)
            .Int32(1, 6).List(2, 5, 2).ZigZag(0).ZigZag(3).List(3, 8, 1).Text(Name).Int32(4, 6).Int64(5, Rows).Int64(6, Unpacked).Int64(7, Packed).Int64(9, Offset)
            .End().End();
    }
}
