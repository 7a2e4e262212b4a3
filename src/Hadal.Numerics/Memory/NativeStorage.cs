using System.Runtime.InteropServices;

namespace Hadal.Numerics;

/// <summary>Zeroed, 64-byte aligned memory outside the managed heap.</summary>
internal sealed unsafe class NativeStorage : CpuStorage
{
    private const nuint Alignment = 64;
    private byte* _block;
    private byte* _pointer;

    /// <exception cref="OutOfMemoryException">The system refuses.</exception>
    public NativeStorage(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        // Some slack behind the end: a vector kernel may read (never use) a partial lane there.
        // Large blocks come zeroed from the system without being touched: whoever writes them first decides where their pages lie.
        _block = (byte*)NativeMemory.AllocZeroed(checked((nuint)byteLength + 3 * Alignment));
        _pointer = (byte*)(((nuint)_block + Alignment - 1) / Alignment * Alignment);
        ByteLength = byteLength;
        GC.AddMemoryPressure(byteLength + 1);
    }

    ~NativeStorage() => Dispose(false);

    public override long ByteLength { get; }

    internal override byte* Pointer => _pointer is null ? throw new ObjectDisposedException(nameof(NativeStorage)) : _pointer;

    protected override void Dispose(bool disposing)
    {
        if (_pointer is null) return;
        NativeMemory.Free(_block);
        _block = _pointer = null;
        GC.RemoveMemoryPressure(ByteLength + 1);
    }
}
