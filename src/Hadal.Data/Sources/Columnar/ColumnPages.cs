using System.Buffers.Binary;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Sources.Columnar;

/// <summary>The pages of one column in one row group, one at a time: what is held is one page, packed and unpacked, and the dictionary.</summary>
internal sealed class ColumnPages(SafeFileHandle file, ColumnChunk chunk, ReadVolume volume)
{
    private const int FirstHeaderBytes = 4096;
    private const int MaximumHeaderBytes = 64 << 20;

    private long _offset = chunk.Offset;
    private byte[] _header = [];
    private byte[] _packed = [];

    /// <summary>The page's values, once unpacked; valid until the next page.</summary>
    public byte[] Buffer { get; private set; } = [];

    /// <summary>Where the values begin.</summary>
    public int Start { get; private set; }

    /// <summary>Where they end.</summary>
    public int End { get; private set; }

    /// <summary>What stands before the page.</summary>
    public PageHeader Header { get; private set; }

    /// <summary>For each value 1, or 0 if it is missing; only for an optional column.</summary>
    public PackedIntegers Levels { get; private set; }

    /// <summary>Goes to the next page with values or the dictionary.</summary>
    /// <exception cref="InvalidDataException">The page is damaged or too large, or there is none.</exception>
    /// <exception cref="DataException">The file expands too far or cannot be read.</exception>
    public void Next()
    {
        do
        {
            Header = ReadHeader();
            if (Header.Packed > chunk.End - _offset) throw new InvalidDataException("a page reaches beyond the file");
            if (Header.Kind is PageHeader.Data or PageHeader.DataV2 or PageHeader.Dictionary) Load();
            _offset += Header.Packed;
        }
        while (Header.Kind is not (PageHeader.Data or PageHeader.DataV2 or PageHeader.Dictionary));
    }

    /// <summary>Gives the unpacked page away, so that the next does not overwrite it.</summary>
    public byte[] Detach()
    {
        byte[] buffer = Buffer;
        Buffer = [];
        return buffer;
    }

    private PageHeader ReadHeader()
    {
        // Statistics in a header may hold whole texts, so its length is found by trying.
        for (int size = FirstHeaderBytes; ; size *= 4)
        {
            int held = (int)Math.Min(size, chunk.End - _offset);
            if (held == 0) throw new InvalidDataException("its pages end too early");
            if (_header.Length < held) _header = new byte[held];
            Read(_header.AsSpan(0, held), _offset);
            try
            {
                PageHeader header = PageHeader.Read(_header.AsSpan(0, held));
                _offset += header.HeaderBytes;
                return header;
            }
            catch (EndOfStreamException)
            {
                if (held < size || size >= MaximumHeaderBytes) throw new InvalidDataException("the header of a page has no end");
            }
        }
    }

    private void Load()
    {
        PageHeader header = Header;
        volume.Page(header.Packed, header.Unpacked);
        int plain = header.Kind == PageHeader.DataV2 ? header.LevelBytes + header.RepetitionBytes : 0;
        bool packed = chunk.Codec != PageCodec.None && (header.Kind != PageHeader.DataV2 || header.ValuesPacked);
        if (Buffer.Length < header.Unpacked) Buffer = new byte[header.Unpacked];
        byte[] source = Buffer;
        if (packed)
        {
            if (_packed.Length < header.Packed) _packed = new byte[header.Packed];
            source = _packed;
        }
        else if (header.Packed != header.Unpacked)
        {
            throw new InvalidDataException("a page that is not packed has two lengths");
        }

        Read(source.AsSpan(0, header.Packed), _offset);
        if (header.Checksum is { } checksum && Crc32.HashToUInt32(source.AsSpan(0, header.Packed)) != (uint)checksum) throw new InvalidDataException("a page does not match its checksum");
        if (packed)
        {
            source.AsSpan(0, plain).CopyTo(Buffer);
            if (header.Unpacked > plain) PageCodec.Unpack(chunk.Codec, source, plain, header.Packed - plain, Buffer.AsSpan(plain, header.Unpacked - plain));
        }

        Start = plain;
        End = header.Unpacked;
        if (header.Kind != PageHeader.Dictionary && chunk.Column.Optional) FindLevels(header);
    }

    private void FindLevels(PageHeader header)
    {
        if (header.Kind == PageHeader.DataV2)
        {
            Levels = new PackedIntegers(Buffer, header.RepetitionBytes, Start, 1);
            return;
        }

        if (header.LevelEncoding != 3) throw new InvalidDataException("what is missing is encoded in a way that is not read");
        int length = End - Start >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(Buffer.AsSpan(Start)) : -1;
        if (length < 0 || length > End - Start - 4) throw new InvalidDataException("a page is shorter than its levels");
        Levels = new PackedIntegers(Buffer, Start + 4, Start + 4 + length, 1);
        Start += 4 + length;
    }

    private void Read(Span<byte> target, long offset)
    {
        try
        {
            while (!target.IsEmpty)
            {
                int read = RandomAccess.Read(file, target, offset);
                if (read == 0) throw new InvalidDataException("the file became shorter while it was read");
                target = target[read..];
                offset += read;
            }
        }
        catch (Exception e) when (e is IOException and not EndOfStreamException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
