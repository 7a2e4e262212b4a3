namespace Hadal.Data.Sources.Files;

/// <summary>Lines of a stream as bytes, with a bound on how much of a line is held.</summary>
internal sealed class LineReader(Stream stream, string path, int maximumLineBytes)
{
    private readonly HeldBytes _held = new(stream, path, maximumLineBytes);
    private int _length;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The line without its end, valid until the next call; empty where <see cref="TooLong"/>.</summary>
    public ReadOnlySpan<byte> Current => TooLong ? [] : _held.Span[.._length];

    /// <summary>Whether the line passed the bound and was skipped.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Number of the line, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Goes to the next line; false at the end.</summary>
    /// <exception cref="DataException">The stream cannot be read.</exception>
    public bool Next()
    {
        if (Number > 0) _held.Pass(Math.Min(_held.Length, _length + 1));
        TooLong = false;
        int scanned = 0;
        while (true)
        {
            int at = _held.Span[scanned..].IndexOf((byte)'\n');
            if (at >= 0) return Found(scanned + at);
            scanned = _held.Length;
            if (_held.IsEnded) return (scanned > 0 || TooLong) && Found(scanned);
            if (scanned > maximumLineBytes)
            {
                // What was read of an overlong line is dropped; its end is still looked for.
                TooLong = true;
                _held.Clear();
                scanned = 0;
            }

            _held.Read();
        }
    }

    private bool Found(int length)
    {
        _length = length;
        if (length > maximumLineBytes) TooLong = true;
        if (++Number == 1 && !TooLong && Current.StartsWith(ByteOrderMark))
        {
            _held.Pass(ByteOrderMark.Length);
            _length -= ByteOrderMark.Length;
        }

        return true;
    }
}
