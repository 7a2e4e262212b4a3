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
    private readonly HeldBytes _held = new(stream, path, maximumBytes);
    private SearchValues<byte>? _plain;
    private byte _separator;
    private int _length;
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
    public ReadOnlySpan<byte> Raw(int i) => _held.Span.Slice(_values[i].Start, _values[i].Length);

    /// <summary>Whether a value stands in quotes, so that doubled quotes in it are single ones.</summary>
    public bool Quoted(int i) => _values[i].Quoted;

    /// <summary>The first line's bytes, before any row is read.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        while (_held.Length < 1 << 16 && _held.Read())
        {
        }

        ReadOnlySpan<byte> held = _held.Span;
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

        _held.Pass(_length);
        _length = 0;
        _values.Clear();
        TooLong = Unended = false;
        Line = _lines;
        if (_held.Length == 0 && !_held.Read()) return false;
        while (Value())
        {
        }

        // A row that was read at once is as much too long as one that came in parts.
        TooLong |= _length > maximumBytes;
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
        bool lineEnd = _held[_length] == '\n';
        int end = _length;
        if (lineEnd && end > from && _held[end - 1] == '\r') end--;
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
            if (_held[_length - 1] == '\n')
            {
                _lines++;
                continue;
            }

            if (!Peek(out byte next) || next != '"') return _length;
            _length++;
        }
    }

    private ReadOnlySpan<byte> Available() => _held.Span[_length..];

    private bool Peek(out byte next)
    {
        next = 0;
        if (Available().IsEmpty && !More()) return false;
        next = _held[_length];
        return true;
    }

    private bool More()
    {
        if (_length > maximumBytes || TooLong)
        {
            TooLong = true;
            _values.Clear();
            _held.Clear();
            _length = 0;
        }

        return _held.Read();
    }
}
