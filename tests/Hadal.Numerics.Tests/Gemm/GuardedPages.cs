using System.Runtime.InteropServices;

namespace Hadal.Numerics.Tests.Gemm;

/// <summary>Memory between two pages that may not be touched: an access one byte outside ends the process. Linux only.</summary>
internal sealed unsafe partial class GuardedPages : IDisposable
{
    private const int Page = 4096, ReadWrite = 3, PrivateAnonymous = 0x22;
    private readonly byte* _start;
    private readonly nuint _length;

    public GuardedPages(int bytes)
    {
        nuint inside = (nuint)((bytes + Page - 1) / Page * Page);
        _length = inside + 2 * Page;
        _start = (byte*)Map(null, _length, 0, PrivateAnonymous, -1, 0);
        if (Protect(_start + Page, inside, ReadWrite) != 0) throw new InvalidOperationException("Pages cannot be protected here.");
        Begin = _start + Page;
        End = Begin + inside;
    }

    /// <summary>The first byte; the one before it is guarded.</summary>
    public byte* Begin { get; }

    /// <summary>The end; the byte there is guarded.</summary>
    public byte* End { get; }

    public void Dispose() => _ = Unmap(_start, _length);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
