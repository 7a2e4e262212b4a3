namespace Hadal.Data.Sources.WebArchives;

/// <summary>Bytes of a stream that are looked at before they are passed.</summary>
/// <param name="count">Is told how many bytes were read.</param>
internal sealed class RecordBuffer(Action<int> count)
{
    private Stream _stream = Stream.Null;
    private byte[] _bytes = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Where the first byte that is held is.</summary>
    public long Offset { get; private set; }

    /// <summary>What is held.</summary>
    public ReadOnlySpan<byte> Held => _bytes.AsSpan(_start, _end - _start);

    /// <summary>Begins at the front of a stream, with nothing held.</summary>
    public void Begin(Stream stream)
    {
        _stream = stream;
        _start = _end = 0;
        _ended = false;
        Offset = 0;
    }

    /// <summary>A part of what is held, valid until more is read.</summary>
    public ReadOnlyMemory<byte> Front(int from, int length) => _bytes.AsMemory(_start + from, length);

    /// <summary>Reads on until so many bytes are held; false if the stream ends before.</summary>
    /// <exception cref="DataException">The stream is damaged or cannot be read.</exception>
    public bool Ensure(int wanted)
    {
        while (_end - _start < wanted)
        {
            if (_ended) return false;
            if (_end == _bytes.Length)
            {
                // The buffer grows with what was really read.
                byte[] target = _start >= _bytes.Length / 2 ? _bytes : new byte[(int)Math.Min(_bytes.Length * 2L, Array.MaxLength)];
                Held.CopyTo(target);
                (_bytes, _end, _start) = (target, _end - _start, 0);
            }

            int read = _stream.Read(_bytes, _end, _bytes.Length - _end);
            _ended = read == 0;
            _end += read;
            count(read);
        }

        return true;
    }

    /// <summary>Passes over bytes; false if the stream ends before.</summary>
    public bool Skip(long bytes)
    {
        while (bytes > 0)
        {
            if (!Ensure(1)) return false;
            int some = (int)Math.Min(bytes, _end - _start);
            _start += some;
            Offset += some;
            bytes -= some;
            if (_start == _end) _start = _end = 0;
        }

        return true;
    }

    /// <summary>Passes over the ends of lines.</summary>
    public void SkipLineEnds()
    {
        while (Ensure(1) && Held[0] is (byte)'\r' or (byte)'\n') Skip(1);
    }

    /// <summary>Passes over everything before the next line that begins a record; false if there is none.</summary>
    public bool SkipToRecord()
    {
        while (Ensure(8))
        {
            int at = Held.IndexOf("\nWARC/"u8);
            if (at < 0)
            {
                Skip(Held.Length - 7);
                Ensure(Held.Length + 1);
                if (_ended && Held.IndexOf("\nWARC/"u8) < 0) return false;
                continue;
            }

            Skip(at + 1);
            if (Ensure(7) && Held[5] is (byte)'0' or (byte)'1' && Held[6] == (byte)'.') return true;
        }

        return false;
    }
}
