using System.Buffers;
using Hadal.Data.Sources.Files;

namespace Hadal.Data.Sources.Records;

/// <summary>
/// Cuts a stream into the objects of one array, or the objects that follow each other. Brackets are counted outside strings; whatever else stands between objects comes out
/// as a value of its own, to be refused by whoever parses it.
/// </summary>
internal sealed class JsonValueReader(Stream stream, string path, int maximumBytes)
{
    private static readonly SearchValues<byte> _marks = SearchValues.Create("\"{}[]\n"u8);
    private static readonly SearchValues<byte> _stringMarks = SearchValues.Create("\"\\\n"u8);
    private static readonly SearchValues<byte> _looseEnds = SearchValues.Create(",{]\n"u8);

    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;
    private bool _inArray;
    private bool _begun;
    private int _length;
    private long _lines = 1;

    /// <summary>The bytes of the value, until the next call; empty where <see cref="TooLong"/>.</summary>
    public ReadOnlySpan<byte> Current => TooLong ? [] : _buffer.AsSpan(_start, _length);

    /// <summary>Whether the value passed the bound and was skipped.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Whether the file ended inside the value.</summary>
    public bool Unended { get; private set; }

    /// <summary>Number of the value, from 0.</summary>
    public long Number { get; private set; } = -1;

    /// <summary>The line on which the value begins, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>At the end of the file: whether the array was never closed.</summary>
    public bool OpenArray => _inArray;

    /// <summary>Goes to the next value; false at the end.</summary>
    public bool Next()
    {
        _start += _length;
        _length = 0;
        TooLong = Unended = false;
        if (!SkipToValue())
        {
            Line = _lines;
            return false;
        }

        Number++;
        Line = _lines;
        if (_buffer[_start] == '{') ScanObject();
        else ScanLoose();
        return true;
    }

    // White space, commas and the brackets of the outer array lie between values.
    private bool SkipToValue()
    {
        while (true)
        {
            if (_start == _end && !Fill(0)) return false;
            byte b = _buffer[_start];
            if (b == '\n') _lines++;
            bool skip = b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' || b == ',' && _inArray;
            if (!_begun && b == '[') skip = _inArray = true;
            else if (_inArray && b == ']')
            {
                _inArray = false;
                skip = true;
            }

            if (!_begun && b == 0xEF && Mark())
            {
                _start += 3;
                continue;
            }

            _begun |= !skip || b == '[';
            if (!skip) return true;
            _start++;
        }
    }

    private bool Mark()
    {
        while (_end - _start < 3 && Fill(_end - _start))
        {
        }

        return _buffer.AsSpan(_start, _end - _start).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]);
    }

    private void ScanObject()
    {
        int depth = 0;
        bool inString = false;
        while (true)
        {
            if (_start + _length >= _end && !More()) return;
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start + _length, _end - _start - _length);
            int at = rest.IndexOfAny(inString ? _stringMarks : _marks);
            if (at < 0)
            {
                _length += rest.Length;
                continue;
            }

            _length += at + 1;
            switch (rest[at])
            {
                case (byte)'\n':
                    _lines++;
                    break;
                case (byte)'"':
                    inString = !inString;
                    break;
                case (byte)'\\':
                    if (_start + _length >= _end && !More()) return;
                    if (_buffer[_start + _length] == '\n') _lines++;
                    _length++;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                default:
                    if (--depth == 0) return;
                    break;
            }
        }
    }

    // Something that is no object: up to where one may begin again.
    private void ScanLoose()
    {
        _length = 1;
        while (true)
        {
            if (_start + _length >= _end && !More())
            {
                Unended = false;
                return;
            }

            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start + _length, _end - _start - _length);
            int at = rest.IndexOfAny(_looseEnds);
            _length += at < 0 ? rest.Length : at;
            if (at >= 0) return;
        }
    }

    private bool More()
    {
        if (_length > maximumBytes)
        {
            // What was read of an absurd value is dropped; its end is still looked for.
            TooLong = true;
            _start = _end = _length = 0;
        }

        if (Fill(_length)) return true;
        Unended = true;
        return false;
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

        if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min(_buffer.Length * 2L, maximumBytes + (1L << 16)));
        int read = FileAccessErrors.Read(stream, _buffer.AsSpan(_end), path);
        _ended = read == 0;
        _end += read;
        return read > 0;
    }
}
