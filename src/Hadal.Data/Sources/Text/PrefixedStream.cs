using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.Text;

/// <summary>Bytes that were read already, then the rest of their stream.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> front, Stream rest) : ForwardStream
{
    private int _given;

    public override int Read(Span<byte> buffer)
    {
        if (_given == front.Length) return rest.Read(buffer);
        int count = Math.Min(buffer.Length, front.Length - _given);
        front.Span.Slice(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) rest.Dispose();
        base.Dispose(disposing);
    }
}
