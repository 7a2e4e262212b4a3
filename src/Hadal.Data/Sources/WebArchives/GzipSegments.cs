using System.IO.Compression;
using Hadal.Data.Sources.Files;
using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.WebArchives;

/// <summary>
/// The gzip members of a web archive, each of which holds a record (WARC 1.1, annex D): where one is damaged, the next can still be read. A segment begins where a gzip header begins whose
/// first bytes unpack to a record's (or are cut off by the end of the file); members that begin otherwise (an archive packed as a whole) belong to the segment before.
/// </summary>
internal sealed class GzipSegments(Stream file, string path)
{
    private const int LookAhead = 4096;

    private readonly byte[] _buffer = new byte[1 << 18];
    private long _bufferAt;
    private int _start;
    private int _end;
    private bool _ended;
    private long _clear;
    private long _boundary = -1;
    private long _refused;
    private bool _any;

    /// <summary>Bytes of the file that were passed.</summary>
    public long Passed => _bufferAt + _start;

    /// <summary>Where the current segment begins.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether the current segment is the last.</summary>
    public bool IsLast => _boundary < 0 && _ended && _start == _end;

    /// <summary>The next segment, unpacked; null after the last. What was not read of the one before is passed over.</summary>
    /// <exception cref="DataException">The file cannot be read.</exception>
    public Stream? Next()
    {
        while (_any && Give() is var count and > 0) _start += count;
        Offset = Passed;
        _boundary = -1;
        _clear = Offset + 1;
        _any = true;
        if (Give() == 0) return null;
        var followed = new FollowedStream(new SegmentStream(this));
        return new UnpackedStream(new GZipStream(followed, CompressionMode.Decompress), followed, new ExpansionLimit(long.MaxValue, 1, 0), path, "gzip");
    }

    // How many bytes of the buffer belong to the segment; 0 at its end.
    private int Give()
    {
        while (true)
        {
            if (_boundary >= 0) return (int)(_boundary - Passed);
            if (_end - _start <= LookAhead && !_ended) Fill();
            int from = (int)(Math.Max(_clear, Passed) - _bufferAt);
            int found = from < _end ? _buffer.AsSpan(from, _end - from).IndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]) : -1;
            int at = found < 0 ? (_ended ? _end : Math.Max(from, _end - 2)) : from + found;
            if (found < 0 || (_end - at < LookAhead && !_ended))
            {
                // What lies before is clear; a header so near to the end is looked at when more is there.
                _clear = _bufferAt + at;
                if (at > _start || _ended) return at - _start;
                Fill();
                continue;
            }

            if (BeginsRecord(at)) _boundary = _bufferAt + at;
            else _clear = _bufferAt + at + 1;
        }
    }

    private bool BeginsRecord(int at)
    {
        ReadOnlySpan<byte> header = _buffer.AsSpan(at, Math.Min(_end - at, LookAhead));

        // RFC 1952: three flags are reserved; compressors write three values for their speed. Looking is bounded, so that a file of headers costs little.
        if (header.Length < 18) return true;
        if ((header[3] & 0xE0) != 0 || header[8] is not (0 or 2 or 4) || _refused > 1000 + (Passed >> 16)) return false;
        Span<byte> first = stackalloc byte[5];
        try
        {
            using var gzip = new GZipStream(new MemoryStream(_buffer, at, header.Length, writable: false), CompressionMode.Decompress);
            int read = gzip.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);

            // A member that is cut off with the file may not have said so much.
            if ("WARC/"u8.StartsWith(first[..read]) && (read == first.Length || header.Length < LookAhead)) return true;
        }
        catch (InvalidDataException)
        {
            // Bytes that only look like a header.
        }

        _refused++;
        return false;
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _bufferAt += _start;
        _end -= _start;
        _start = 0;
        while (_end < _buffer.Length && !_ended)
        {
            int read = FileAccessErrors.Read(file, _buffer.AsSpan(_end), path);
            _ended = read == 0;
            _end += read;
        }
    }

    private sealed class SegmentStream(GzipSegments segments) : ForwardStream
    {
        public override int Read(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, segments.Give());
            segments._buffer.AsSpan(segments._start, count).CopyTo(buffer);
            segments._start += count;
            return count;
        }
    }
}
