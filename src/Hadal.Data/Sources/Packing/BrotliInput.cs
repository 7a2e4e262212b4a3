using System.Buffers;
using System.IO.Compression;

namespace Hadal.Data.Sources.Packing;

/// <summary>Unpacks Brotli so that an end that comes too early is an error, which the platform's stream takes for a proper one.</summary>
internal sealed class BrotliInput(Stream packed) : ForwardStream
{
    private readonly byte[] _buffer = new byte[1 << 16];
    private BrotliDecoder _decoder;
    private int _start;
    private int _end;
    private bool _done;

    public override int Read(Span<byte> buffer)
    {
        while (!_done)
        {
            OperationStatus status = _decoder.Decompress(_buffer.AsSpan(_start, _end - _start), buffer, out int consumed, out int written);
            _start += consumed;
            if (status == OperationStatus.InvalidData) throw new InvalidDataException("the Brotli stream is invalid");
            if (status == OperationStatus.Done)
            {
                _done = true;
                if (_start < _end || packed.Read(_buffer) > 0) throw new InvalidDataException("bytes follow the end of the Brotli stream");
            }

            if (written > 0 || _done) return written;
            if (status == OperationStatus.DestinationTooSmall) continue;
            _start = 0;
            _end = packed.Read(_buffer);
            if (_end == 0) throw new EndOfStreamException();
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder.Dispose();
            packed.Dispose();
        }

        base.Dispose(disposing);
    }
}
