namespace Hadal.Numerics;

/// <summary>Storage that has a size and nothing else.</summary>
internal sealed class PlannedStorage(long byteLength) : Storage
{
    public override long ByteLength { get; } = byteLength;

    protected override void Dispose(bool disposing)
    {
    }
}
