using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Numerics;

/// <summary>A file that is read in large pieces, each once: past the system's file cache where the system can do that (Linux, O_DIRECT).</summary>
/// <remarks>
/// What is read once and kept elsewhere has no use for a copy in the file cache, which would compete for the same memory and cost a copy. Reads are safe from several
/// threads at once; each blocks its thread, so several threads keep several reads under way.
/// </remarks>
public sealed unsafe partial class StreamedFile : IDisposable
{
    /// <summary>Reads start and end at multiples of this many bytes of the file.</summary>
    public const int Block = 4096;

    // open(2) on Linux: O_CLOEXEC, and O_DIRECT, whose value differs between processors.
    private const int CloseOnExec = 0x80000;
    private readonly SafeFileHandle _handle;

    private StreamedFile(string path, SafeFileHandle handle, bool direct)
    {
        (Path, _handle, IsDirect) = (path, handle, direct);
        Length = RandomAccess.GetLength(handle);
    }

    /// <summary>The path that was opened.</summary>
    public string Path { get; }

    /// <summary>Length in bytes when the file was opened.</summary>
    public long Length { get; }

    /// <summary>Whether reads go past the system's file cache.</summary>
    public bool IsDirect { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">An existing file.</param>
    /// <returns>The open file.</returns>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static StreamedFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (OperatingSystem.IsLinux())
        {
            int direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;
            int descriptor = OpenFile(path, direct | CloseOnExec);
            if (descriptor >= 0) return new StreamedFile(path, new SafeFileHandle(descriptor, true), true);
        }

        return new StreamedFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess), false);
    }

    /// <summary>Reads a range of the file into memory.</summary>
    /// <param name="offset">First byte of the file, a multiple of <see cref="Block"/>.</param>
    /// <param name="length">How many bytes, a multiple of <see cref="Block"/>; may reach over the end of the file.</param>
    /// <param name="destination">Memory of the processor.</param>
    /// <param name="destinationOffset">Where the first byte goes; a multiple of <see cref="Block"/>, as the memory's start is from a megabyte on.</param>
    /// <returns>How many bytes were read: fewer than asked for only at the end of the file.</returns>
    /// <exception cref="IOException">The disk does not deliver.</exception>
    public long Read(long offset, long length, Storage destination, long destinationOffset)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (destination is not CpuStorage { IsReadOnly: false } memory || destinationOffset < 0 || length < 0 || destinationOffset > destination.ByteLength - length)
            throw new ArgumentException($"{length} bytes at {destinationOffset} do not fit in writable memory of {destination.ByteLength} bytes.", nameof(destination));
        long done = 0;
        while (done < length)
        {
            var room = new Span<byte>(memory.Pointer + destinationOffset + done, (int)Math.Min(length - done, 1 << 30));
            int read = ReadSome(offset + done, room);
            if (read == 0) break;
            done += read;
            // A direct read that ends off a block has met the end of the file; reading on from there is not allowed.
            if (done % Block != 0 && IsDirect) break;
        }

        return done;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    // Some file systems accept the wish for direct reads and refuse the reads.
    private int ReadSome(long offset, Span<byte> room)
    {
        try
        {
            return RandomAccess.Read(_handle, room, offset);
        }
        catch (Exception e) when (IsDirect && e is IOException or ArgumentException)
        {
            using var plain = File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
            return RandomAccess.Read(plain, room, offset);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);
}
