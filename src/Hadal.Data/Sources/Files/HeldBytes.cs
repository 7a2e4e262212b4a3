namespace Hadal.Data.Sources.Files;

/// <summary>The bytes of a stream that are held while someone looks for the end of a line, value or row. Room grows with what was really read, never with what a file claims.</summary>
/// <param name="stream">The stream.</param>
/// <param name="path">The file, for errors.</param>
/// <param name="most">So many bytes may be held and read beyond; whoever holds more has to let go before reading on.</param>
internal sealed class HeldBytes(Stream stream, string path, int most)
{
    private const int ReadBytes = 1 << 17;
    private byte[] _bytes = new byte[ReadBytes];
    private int _start;
    private int _end;

    /// <summary>Whether the stream has no more.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>How many are held.</summary>
    public int Length => _end - _start;

    /// <summary>What is held, valid until more is read.</summary>
    public ReadOnlySpan<byte> Span => _bytes.AsSpan(_start, _end - _start);

    public byte this[int i] => _bytes[_start + i];

    /// <summary>Lets go of the first bytes.</summary>
    public void Pass(int count) => _start += count;

    /// <summary>Lets go of everything.</summary>
    public void Clear() => _start = _end = 0;

    /// <summary>Reads some more behind what is held; false at the end.</summary>
    /// <exception cref="DataException">The stream cannot be read.</exception>
    public bool Read()
    {
        if (IsEnded) return false;
        if (_start > 0)
        {
            Span.CopyTo(_bytes);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _bytes.Length) Array.Resize(ref _bytes, (int)Math.Min(_bytes.Length * 2L, most + (long)ReadBytes));
        int read = FileAccessErrors.Read(stream, _bytes.AsSpan(_end), path);
        IsEnded = read == 0;
        _end += read;
        return read > 0;
    }
}
