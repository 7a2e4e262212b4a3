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

    private readonly HeldBytes _held = new(stream, path, maximumBytes);
    private bool _inArray;
    private bool _begun;
    private int _length;
    private long _lines = 1;

    /// <summary>The bytes of the value, until the next call; empty where <see cref="TooLong"/>.</summary>
    public ReadOnlySpan<byte> Current => TooLong ? [] : _held.Span[.._length];

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
        _held.Pass(_length);
        _length = 0;
        TooLong = Unended = false;
        if (!SkipToValue())
        {
            Line = _lines;
            return false;
        }

        Number++;
        Line = _lines;
        if (_held[0] == '{') ScanObject();
        else ScanLoose();
        // A value that was read at once is as much too long as one that came in parts.
        TooLong |= _length > maximumBytes;
        return true;
    }

    // White space, commas and the brackets of the outer array lie between values.
    private bool SkipToValue()
    {
        while (true)
        {
            if (_held.Length == 0 && !_held.Read()) return false;
            byte b = _held[0];
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
                _held.Pass(3);
                continue;
            }

            _begun |= !skip || b == '[';
            if (!skip) return true;
            _held.Pass(1);
        }
    }

    private bool Mark()
    {
        while (_held.Length < 3 && _held.Read())
        {
        }

        return _held.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]);
    }

    private void ScanObject()
    {
        int depth = 0;
        bool inString = false;
        while (true)
        {
            if (_length >= _held.Length && !More()) return;
            ReadOnlySpan<byte> rest = _held.Span[_length..];
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
                    if (_length >= _held.Length && !More()) return;
                    if (_held[_length] == '\n') _lines++;
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
            if (_length >= _held.Length && !More())
            {
                Unended = false;
                return;
            }

            ReadOnlySpan<byte> rest = _held.Span[_length..];
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
            _held.Clear();
            _length = 0;
        }

        if (_held.Read()) return true;
        Unended = true;
        return false;
    }
}
