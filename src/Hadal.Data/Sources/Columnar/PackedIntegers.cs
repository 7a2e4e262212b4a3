using System.Numerics;

namespace Hadal.Data.Sources.Columnar;

/// <summary>Small numbers in runs of one value or packed to their width in bits ("RLE / bit-packing hybrid"), one at a time.</summary>
/// <remarks>Format: Parquet <c>Encodings.md</c>, RLE. Numbers that the bytes do not hold are an <see cref="InvalidDataException"/>.</remarks>
internal struct PackedIntegers(byte[] buffer, int start, int end, int width)
{
    private int _at = start;
    private long _left;
    private int _value;
    private bool _packed;
    private long _bit;

    /// <summary>The next number.</summary>
    public int Next()
    {
        while (_left == 0) StartRun();
        _left--;
        if (!_packed) return _value;
        long bit = _bit;
        _bit += width;
        return Bits(buffer, bit, end, width);
    }

    /// <summary>Number of <paramref name="width"/> bits at a bit of the buffer, least significant first; bits past the end are 0.</summary>
    public static int Bits(byte[] buffer, long bit, int end, int width)
    {
        int at = (int)(bit >> 3);
        ulong bits = 0;
        for (int i = 0, bytes = (int)((bit & 7) + width + 7) >> 3; i < bytes && at + i < end; i++) bits |= (ulong)buffer[at + i] << (8 * i);
        return (int)((bits >> (int)(bit & 7)) & ((1UL << width) - 1));
    }

    private void StartRun()
    {
        uint header = Varint();
        _packed = (header & 1) != 0;
        if (_packed)
        {
            // Groups of eight; writers may leave out the end of the last.
            _left = (long)(header >> 1) * 8;
            _bit = (long)_at << 3;
            long next = _at + (_left * width >> 3);
            if (_left > 0 && width > 0 && _at >= end) throw new InvalidDataException("numbers end too early");
            _at = (int)Math.Min(next, end);
            if (width > 0) _left = Math.Min(_left, ((long)end * 8 - _bit) / width);
            return;
        }

        _left = header >> 1;
        _value = 0;
        int bytes = (width + 7) / 8;
        if (bytes > end - _at) throw new InvalidDataException("numbers end too early");
        for (int i = 0; i < bytes; i++) _value |= buffer[_at++] << (8 * i);
        if (width < 32 && BitOperations.Log2((uint)_value | 1) >= Math.Max(width, 1)) throw new InvalidDataException("a number is too large for its width");
    }

    private uint Varint()
    {
        uint value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            if (_at >= end) throw new InvalidDataException("numbers end too early");
            byte next = buffer[_at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw new InvalidDataException("a number has too many bytes");
    }
}
