namespace Hadal.Data.Sources.Files;

/// <summary>Lines of a stream as bytes, with a bound on how much of a line is held.</summary>
internal sealed class LineReader(Stream stream, string path, int maximumLineBytes)
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private byte[] _buffer = new byte[1 << 17];
    private int _start;
    private int _end;
    private int _length;
    private bool _ended;

    /// <summary>The line without its end, valid until the next call; empty where <see cref="TooLong"/>.</summary>
    public ReadOnlySpan<byte> Current => TooLong ? [] : _buffer.AsSpan(_start, _length);

    /// <summary>Whether the line passed the bound and was skipped.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Number of the line, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Goes to the next line; false at the end.</summary>
    /// <exception cref="DataException">The stream cannot be read.</exception>
    public bool Next()
    {
        if (Number > 0) _start = Math.Min(_end, _start + _length + 1);
        TooLong = false;
        int scanned = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n');
            if (at >= 0) return Found(scanned + at);
            scanned = _end - _start;
            if (_ended) return (scanned > 0 || TooLong) && Found(scanned);
            if (scanned > maximumLineBytes)
            {
                // What was read of an overlong line is dropped; its end is still looked for.
                TooLong = true;
                _start = _end = scanned = 0;
            }

            Fill();
        }
    }

    private bool Found(int length)
    {
        _length = length;
        if (length > maximumLineBytes) TooLong = true;
        if (++Number == 1 && !TooLong && Current.StartsWith(ByteOrderMark))
        {
            _start += ByteOrderMark.Length;
            _length -= ByteOrderMark.Length;
        }

        return true;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        // The buffer grows with what was really read, never with what a file claims.
        if (_end == _buffer.Length) Array.Resize(ref _buffer, (int)Math.Min(_buffer.Length * 2L, maximumLineBytes + (1L << 17)));
        int read = FileAccessErrors.Read(stream, _buffer.AsSpan(_end), path);
        _ended = read == 0;
        _end += read;
    }
}
