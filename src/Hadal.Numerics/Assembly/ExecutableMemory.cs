using System.Runtime.InteropServices;

namespace Hadal.Numerics.Assembly;

/// <summary>Pages that hold machine code: written first, then made executable, never both at once.</summary>
/// <remarks>Never freed while the process runs: kernels live as long as it does. Where the platform refuses (a hardened system, Apple's Arm machines), <see cref="TryPlace"/> says so.</remarks>
internal static unsafe partial class ExecutableMemory
{
    private const int ReadWrite = 3, ReadExecute = 5;
    private const int PrivateAnonymousLinux = 0x22, PrivateAnonymousApple = 0x1002;
    private const uint CommitReserve = 0x3000, PageReadWrite = 0x04, PageExecuteRead = 0x20;

    private static readonly Lock _gate = new();
    private static readonly Lazy<string?> _refusal = new(Probe);

    /// <summary>Why machine code cannot be placed here; null if it can.</summary>
    public static string? Refusal => _refusal.Value;

    /// <summary>Copies code into fresh pages and makes them executable.</summary>
    /// <param name="code">Position-independent machine code for this processor.</param>
    /// <param name="address">Where it starts.</param>
    /// <returns>Null, or why it could not be placed.</returns>
    public static string? TryPlace(ReadOnlySpan<byte> code, out void* address)
    {
        lock (_gate)
        {
            address = null;
            nuint length = (nuint)((code.Length + 4095) / 4096 * 4096);
            byte* pages = Reserve(length);
            if (pages is null) return $"the system refuses memory for machine code (error {Marshal.GetLastPInvokeError()})";
            code.CopyTo(new Span<byte>(pages, code.Length));
            new Span<byte>(pages + code.Length, (int)length - code.Length).Fill(0xCC);
            if (!MakeExecutable(pages, length))
            {
                int error = Marshal.GetLastPInvokeError();
                Release(pages, length);
                return $"the system does not allow memory to be made executable (error {error})";
            }

            address = pages;
            return null;
        }
    }

    private static string? Probe()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return $"kernels are assembled for x64 only, not for {RuntimeInformation.ProcessArchitecture}";
        ReadOnlySpan<byte> justReturn = [0xC3];
        return TryPlace(justReturn, out _);
    }

    private static byte* Reserve(nuint length)
    {
        if (OperatingSystem.IsWindows()) return (byte*)VirtualAlloc(null, length, CommitReserve, PageReadWrite);
        void* pages = Map(null, length, ReadWrite, OperatingSystem.IsMacOS() ? PrivateAnonymousApple : PrivateAnonymousLinux, -1, 0);
        return (nint)pages == -1 ? null : (byte*)pages;
    }

    private static bool MakeExecutable(byte* pages, nuint length) =>
        OperatingSystem.IsWindows() ? VirtualProtect(pages, length, PageExecuteRead, out _) != 0 : Protect(pages, length, ReadExecute) == 0;

    private static void Release(byte* pages, nuint length)
    {
        if (OperatingSystem.IsWindows()) _ = VirtualFree(pages, 0, 0x8000);
        else _ = Unmap(pages, length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial void* VirtualAlloc(void* address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualProtect(void* address, nuint length, uint protection, out uint before);

    [LibraryImport("kernel32")]
    private static partial int VirtualFree(void* address, nuint length, uint type);
}
