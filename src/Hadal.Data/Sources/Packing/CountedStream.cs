namespace Hadal.Data.Sources.Packing;

/// <summary>A stream that is only read forward, counting what was given.</summary>
internal class CountedStream(Stream inner) : ForwardStream
{
    /// <summary>Bytes given so far.</summary>
    public long Count { get; protected set; }

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        Count += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
