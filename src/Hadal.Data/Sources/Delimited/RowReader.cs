using System.Buffers;
using Hadal.Data.Sources.Files;

namespace Hadal.Data.Sources.Delimited;

/// <summary>
/// Rows of values between separators (RFC 4180): a value in quotes may hold separators, line ends and doubled quotes; a quote elsewhere is a quote. A row that passes the
/// bound is passed over without being held.
/// </summary>
internal sealed class RowReader(Stream stream, string path, int maximumBytes)
{
    private static readonly SearchValues<byte> _inQuotes = SearchValues.Create("\"\n"u8);

    private readonly List<(int Start, int Length, bool Quoted)> _values = [];
    private byte[] _buffer = new byte[1 << 17];
    private SearchValues<byte>? _plain;
    private byte _separator;
    private int _start;
    private int _end;
    private int _length;
    private bool _ended;
    private long _lines = 1;

    /// <summary>Number of values in the row.</summary>
    public int Count => _values.Count;

    /// <summary>The line on which the row begins, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Whether the row passed the bound; it then has no values.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Whether the file ended inside quotes.</summary>
    public bool Unended { get; private set; }

    /// <summary>Whether the row has nothing in it.</summary>
    public bool IsBlank => _values.Count == 1 && _values[0].Length == 0;

    /// <summary>A value's bytes without its quotes, doubled quotes still doubled.</summary>
    public ReadOnlySpan<byte> Raw(int i) => _buffer.AsSpan(_start + _values[i].Start, _values[i].Length);

    /// <summary>Whether a value stands in quotes, so that doubled quotes in it are single ones.</summary>
    public bool Quoted(int i) => _values[i].Quoted;

    /// <summary>The first line's bytes, before any row is read.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        while (_end - _start < 1 << 16 && Fill(_end - _start))
        {
        }

        ReadOnlySpan<byte> held = _buffer.AsSpan(_start, _end - _start);
        int line = held.IndexOf((byte)'\n');
        return line < 0 ? held : held[..line];
    }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Next(byte separator)
    {
        if (_separator != separator || _plain is null)
        {
            _separator = separator;
            _plain = SearchValues.Create([separator, (byte)'\n']);
        }

        _start += _length;
        _length = 0;
        _values.Clear();
        TooLong = Unended = false;
        Line = _lines;
        if (_start == _end && !Fill(0)) return false;
        while (Value())
        {
        }

        if (TooLong) _values.Clear();
        return true;
    }

    // Reads one value; false when the row ends with it. A row that is too long goes on being taken apart, for the sake of its quotes, but its bytes are dropped.
    private bool Value()
    {
        int from = _length;
        bool quoted = Peek(out byte first) && first == '"';
        int closing = -1;
        if (quoted)
        {
            _length++;
            closing = SkipQuotes();
            if (closing < 0)
            {
                Unended = true;
                return false;
            }
        }

        int at;
        while ((at = Available().IndexOfAny(_plain!)) < 0)
        {
            _length += Available().Length;
            if (!More())
            {
                Keep(from, _length, quoted, closing);
                return false;
            }
        }

        _length += at;
        bool lineEnd = _buffer[_start + _length] == '\n';
        int end = _length;
        if (lineEnd && end > from && _buffer[_start + end - 1] == '\r') end--;
        Keep(from, end, quoted, closing);
        _length++;
        if (lineEnd) _lines++;
        return !lineEnd;
    }

    private void Keep(int from, int end, bool quoted, int closing)
    {
        if (TooLong) return;

        // What follows a closing quote up to the separator is no part of a well-formed value; then the value is taken as it stands.
        if (quoted && closing == end) _values.Add((from + 1, closing - from - 2, true));
        else _values.Add((from, end - from, false));
    }

    // The place after the closing quote, -1 if there is none.
    private int SkipQuotes()
    {
        while (true)
        {
            int at = Available().IndexOfAny(_inQuotes);
            if (at < 0)
            {
                _length += Available().Length;
                if (!More()) return -1;
                continue;
            }

            _length += at + 1;
            if (_buffer[_start + _length - 1] == '\n')
            {
                _lines++;
                continue;
            }

            if (!Peek(out byte next) || next != '"') return _length;
            _length++;
        }
    }

    private ReadOnlySpan<byte> Available() => _buffer.AsSpan(_start + _length, _end - _start - _length);

    private bool Peek(out byte next)
    {
        next = 0;
        if (Available().IsEmpty && !More()) return false;
        next = _buffer[_start + _length];
        return true;
    }

    private bool More()
    {
        if (_length > maximumBytes || TooLong)
        {
            TooLong = true;
            _values.Clear();
            _start = _end = _length = 0;
        }

        return Fill(_length);
    }

    // Keeps the bytes that are held; the buffer grows with what was really read.
    private bool Fill(int held)
    {
        if (_ended) return false;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            _start = 0;
            _end = held;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min(_buffer.Length * 2L, maximumBytes + (1L << 18)));
        int read = FileAccessErrors.Read(stream, _buffer.AsSpan(_end), path);
        _ended = read == 0;
        _end += read;
        return read > 0;
    }
}
