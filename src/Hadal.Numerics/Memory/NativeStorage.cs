using System.Runtime.InteropServices;

namespace Hadal.Numerics;

/// <summary>Zeroed, 64-byte aligned memory outside the managed heap.</summary>
internal sealed unsafe class NativeStorage : CpuStorage
{
    private const nuint Alignment = 64;
    private byte* _pointer;

    /// <exception cref="OutOfMemoryException">The system refuses.</exception>
    public NativeStorage(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        // Some slack behind the end: a vector kernel may read (never use) a partial lane there.
        nuint size = checked((nuint)byteLength + 2 * Alignment);
        _pointer = (byte*)NativeMemory.AlignedAlloc(size, Alignment);
        NativeMemory.Clear(_pointer, size);
        ByteLength = byteLength;
        GC.AddMemoryPressure(byteLength + 1);
    }

    ~NativeStorage() => Dispose(false);

    public override long ByteLength { get; }

    internal override byte* Pointer => _pointer is null ? throw new ObjectDisposedException(nameof(NativeStorage)) : _pointer;

    protected override void Dispose(bool disposing)
    {
        if (_pointer is null) return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure(ByteLength + 1);
    }
}
