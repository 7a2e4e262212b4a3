namespace Hadal.Data.Sources.Columnar;

/// <summary>Numbers as packed differences to those before ("DELTA_BINARY_PACKED"), one at a time.</summary>
/// <remarks>Format: Parquet <c>Encodings.md</c>, delta encoding. What the bytes do not hold is an <see cref="InvalidDataException"/>.</remarks>
internal struct DeltaIntegers
{
    private readonly byte[] _buffer;
    private readonly int _end;
    private readonly int _perMini;
    private readonly int _minis;
    private int _widths;
    private int _mini;
    private int _inMini;
    private int _width;
    private long _bit;
    private long _smallest;
    private long _value;
    private bool _started;

    public DeltaIntegers(byte[] buffer, int start, int end)
    {
        _buffer = buffer;
        _end = end;
        Position = start;
        ulong block = Varint(), minis = Varint(), count = Varint();
        if (block is 0 or > 1 << 20 || minis is 0 || minis > block || block % minis != 0 || block / minis % 8 != 0) throw new InvalidDataException("numbers stand in blocks of an impossible size");
        if (count > int.MaxValue) throw new InvalidDataException("there are absurdly many numbers");
        _perMini = (int)(block / minis);
        _minis = (int)minis;
        _mini = _minis;
        Count = (int)count;
        _value = ZigZag();
    }

    /// <summary>How many numbers there are in all.</summary>
    public int Count { get; }

    /// <summary>Where the block ends that the last number is in, once all were read.</summary>
    public int Position { get; private set; }

    /// <summary>The next number; not called more than <see cref="Count"/> times.</summary>
    public long Next()
    {
        if (!_started)
        {
            _started = true;
            return _value;
        }

        if (_inMini == 0) StartMini();
        _inMini--;
        ulong delta = 0;
        if (_width > 0)
        {
            delta = (uint)PackedIntegers.Bits(_buffer, _bit, _end, Math.Min(_width, 32));
            if (_width > 32) delta |= (ulong)(uint)PackedIntegers.Bits(_buffer, _bit + 32, _end, _width - 32) << 32;
            _bit += _width;
        }

        return _value = unchecked(_value + _smallest + (long)delta);
    }

    private void StartMini()
    {
        if (_mini == _minis)
        {
            _smallest = ZigZag();
            _widths = Position;
            if (_minis > _end - Position) throw new InvalidDataException("numbers end too early");
            Position += _minis;
            _mini = 0;
        }

        _width = _buffer[_widths + _mini++];
        if (_width > 64) throw new InvalidDataException("a number is wider than 64 bits");
        _bit = (long)Position << 3;
        long bytes = (long)_width * _perMini >> 3;
        if (bytes > _end - Position) throw new InvalidDataException("numbers end too early");
        Position += (int)bytes;
        _inMini = _perMini;
    }

    private long ZigZag()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (Position >= _end) throw new InvalidDataException("numbers end too early");
            byte next = _buffer[Position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw new InvalidDataException("a number has too many bytes");
    }
}
