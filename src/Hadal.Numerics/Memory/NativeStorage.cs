using System.Runtime.InteropServices;

namespace Hadal.Numerics;

/// <summary>Zeroed memory outside the managed heap, at a multiple of 64 bytes; from a megabyte on at a page, as direct reads of files need it, from two on
/// in large pages where the system has them.</summary>
internal sealed unsafe partial class NativeStorage : CpuStorage
{
    private const nuint Alignment = 64, PageAlignment = 4096, LargePage = 2 << 20;
    private const long LeastPaged = 1 << 20, LeastLarge = 2 << 20;
    private const int AdviseLargePages = 14;
    private byte* _block;
    private byte* _pointer;
    private bool _locked;

    /// <exception cref="OutOfMemoryException">The system refuses.</exception>
    public NativeStorage(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        // Some slack behind the end: a vector kernel may read (never use) a partial lane there.
        // Large blocks come zeroed from the system without being touched: whoever writes them first decides where their pages lie.
        bool isLarge = byteLength >= LeastLarge && OperatingSystem.IsLinux();
        nuint alignment = isLarge ? LargePage : byteLength < LeastPaged ? Alignment : PageAlignment;
        _block = (byte*)NativeMemory.AllocZeroed(checked((nuint)byteLength + alignment + 2 * Alignment));
        _pointer = (byte*)(((nuint)_block + alignment - 1) / alignment * alignment);
        ByteLength = byteLength;
        // Weights are read from one end to the other: with small pages, looking up their addresses costs as much as reading them. A refusal changes nothing.
        if (isLarge) _ = Advise(_pointer, (nuint)byteLength / LargePage * LargePage, AdviseLargePages);
        GC.AddMemoryPressure(byteLength + 1);
    }

    ~NativeStorage() => Dispose(false);

    public override long ByteLength { get; }

    internal override byte* Pointer => _pointer is null ? throw new ObjectDisposedException(nameof(NativeStorage)) : _pointer;

    /// <summary>Keeps the pages in physical memory until the storage is disposed.</summary>
    /// <exception cref="IOException">The system does not allow it.</exception>
    public void Lock()
    {
        if (_locked || ByteLength == 0) return;
        if (OperatingSystem.IsWindows()) throw new IOException("Memory can be locked on Linux and macOS only.");
        if (LockPages(Pointer, (nuint)ByteLength) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new IOException(
                $"The system does not allow {ByteLength} more bytes to be locked in memory (error {error}); raise the limit (ulimit -l unlimited, or LimitMEMLOCK= of a service), or "
                + "do not lock the weights.");
        }

        _locked = true;
    }

    protected override void Dispose(bool disposing)
    {
        if (_pointer is null) return;
        if (_locked) _ = UnlockPages(_pointer, (nuint)ByteLength);
        NativeMemory.Free(_block);
        _block = _pointer = null;
        GC.RemoveMemoryPressure(ByteLength + 1);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mlock", SetLastError = true)]
    private static partial int LockPages(byte* address, nuint length);

    [LibraryImport("libc", EntryPoint = "munlock", SetLastError = true)]
    private static partial int UnlockPages(byte* address, nuint length);
}
