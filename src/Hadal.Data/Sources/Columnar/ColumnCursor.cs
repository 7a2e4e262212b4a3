using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Sources.Columnar;

/// <summary>The values of one column in one row group, one at a time.</summary>
internal sealed class ColumnCursor
{
    // Parquet's Encoding.
    private const int Plain = 0, PlainDictionary = 2, DeltaNumbers = 5, DeltaLengths = 6, DeltaBytes = 7, IndexedDictionary = 8;

    private readonly ColumnPages _pages;
    private readonly bool _optional;
    private readonly int _width;
    private long _left;
    private int _leftInPage;
    private PackedIntegers _levels;
    private int _encoding;
    private byte[] _buffer = [];
    private int _at;
    private int _end;
    private byte[]? _dictionary;
    private int[] _dictionaryStarts = [];
    private PackedIntegers _indices;
    private DeltaIntegers _first;
    private DeltaIntegers _second;
    private byte[] _joined = [];
    private int _joinedLength;

    public ColumnCursor(SafeFileHandle file, ColumnChunk chunk, ReadVolume volume)
    {
        _pages = new ColumnPages(file, chunk, volume);
        _optional = chunk.Column.Optional;
        _width = chunk.Column.Type switch { PhysicalType.Int32 => 4, PhysicalType.Int64 => 8, _ => 0 };
        _left = chunk.Values;
    }

    /// <summary>Whether the current value is missing.</summary>
    public bool IsMissing { get; private set; }

    /// <summary>The bytes of the current value, valid until the next; of a number, little-endian.</summary>
    public ReadOnlySpan<byte> Value => _value.Span;

    private ReadOnlyMemory<byte> _value;

    /// <summary>Goes to the next value; called once for every row.</summary>
    /// <exception cref="InvalidDataException">The column is damaged here, or encoded in a way that is not read.</exception>
    /// <exception cref="DataException">The file expands too far.</exception>
    public void Next()
    {
        if (_left == 0) throw new InvalidDataException("it has fewer values than rows");
        while (_leftInPage == 0) NextPage();
        _left--;
        _leftInPage--;
        _value = default;
        int level = _optional ? _levels.Next() : 1;
        IsMissing = level == 0;
        if (!IsMissing) _value = Decode();
    }

    private ReadOnlyMemory<byte> Decode()
    {
        switch (_encoding)
        {
            case Plain:
                return Take(_width > 0 ? _width : Length());
            case PlainDictionary or IndexedDictionary:
                int index = _indices.Next();
                if ((uint)index >= (uint)(_dictionaryStarts.Length - 1)) throw new InvalidDataException("a value is not in the dictionary");
                int start = _dictionaryStarts[index];
                return _dictionary.AsMemory(start, _dictionaryStarts[index + 1] - start - (_width > 0 ? 0 : 4));
            case DeltaNumbers:
                BinaryPrimitives.WriteInt64LittleEndian(_joined, _first.Next());
                return _joined.AsMemory(0, _width);
            case DeltaLengths:
                return Take(_first.Next());
            default:
                return Join(_first.Next(), _second.Next());
        }
    }

    // So many bytes at the current place.
    private ReadOnlyMemory<byte> Take(long count)
    {
        if (count < 0 || count > _end - _at) throw new InvalidDataException("a value reaches beyond its page");
        _at += (int)count;
        return _buffer.AsMemory(_at - (int)count, (int)count);
    }

    private int Length()
    {
        if (_end - _at < 4) throw new InvalidDataException("a page has fewer values than it claims");
        _at += 4;
        return BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_at - 4));
    }

    // The front of the value before and then so many bytes.
    private ReadOnlyMemory<byte> Join(long front, long rest)
    {
        if (front < 0 || front > _joinedLength) throw new InvalidDataException("a value repeats more of the one before than there is");
        ReadOnlySpan<byte> more = Take(rest).Span;
        int length = (int)front + more.Length;
        if (length > _joined.Length) Array.Resize(ref _joined, Math.Max(length, (int)Math.Min(2L * _joined.Length, 1 << 30)));
        more.CopyTo(_joined.AsSpan((int)front));
        _joinedLength = length;
        return _joined.AsMemory(0, length);
    }

    private void NextPage()
    {
        _pages.Next();
        PageHeader header = _pages.Header;
        if (header.Kind == PageHeader.Dictionary)
        {
            ReadDictionary(header);
            return;
        }

        if (header.RepetitionBytes > 0) throw new InvalidDataException("its values are lists");
        if (header.Values > _left) throw new InvalidDataException("its pages have more values than rows");
        _leftInPage = header.Values;
        _levels = _pages.Levels;
        _encoding = header.Encoding;
        (_buffer, _at, _end) = (_pages.Buffer, _pages.Start, _pages.End);
        if (_encoding is PlainDictionary or IndexedDictionary)
        {
            if (_dictionary is null) throw new InvalidDataException("its dictionary is not there");
            int width = _at < _end ? _buffer[_at] : 0;
            if (width > 32) throw new InvalidDataException("a number is wider than 32 bits");
            _indices = new PackedIntegers(_buffer, Math.Min(_at + 1, _end), _end, width);
        }
        else if (_encoding == DeltaNumbers && _width > 0)
        {
            _first = Deltas(out _, header.Values);
            if (_joined.Length < 8) _joined = new byte[8];
        }
        else if (_encoding is DeltaLengths or DeltaBytes && _width == 0)
        {
            _first = Deltas(out _at, header.Values);
            if (_encoding == DeltaBytes) _second = Deltas(out _at, header.Values);
            _joinedLength = 0;
        }
        else if (_encoding != Plain)
        {
            throw new InvalidDataException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a page has the encoding {_encoding}, which is not read"));
        }
    }

    // Numbers that begin here; where they end is only known once they were read.
    private DeltaIntegers Deltas(out int end, int most)
    {
        var numbers = new DeltaIntegers(_buffer, _at, _end);
        if (numbers.Count > most) throw new InvalidDataException("a page has more values than it claims");
        DeltaIntegers copy = numbers;
        for (int i = 0; i < copy.Count; i++) copy.Next();
        end = copy.Position;
        return numbers;
    }

    private void ReadDictionary(PageHeader header)
    {
        if (_dictionary is not null) throw new InvalidDataException("it has two dictionaries");
        if (header.Encoding is not (Plain or PlainDictionary)) throw new InvalidDataException("its dictionary is encoded in a way that is not read");
        int length = _pages.End - _pages.Start;
        if (header.Values > length / (_width > 0 ? _width : 4)) throw new InvalidDataException("its dictionary is shorter than it claims");
        (_buffer, _at, _end) = (_pages.Buffer, _pages.Start, _pages.End);
        var starts = new int[header.Values + 1];
        for (int i = 0; i < header.Values; i++)
        {
            int count = _width > 0 ? _width : Length();
            starts[i] = _at;
            Take(count);
        }

        starts[^1] = _at + (_width > 0 ? 0 : 4);
        _dictionary = _pages.Detach();
        _dictionaryStarts = starts;
    }
}
