using System.Runtime.InteropServices;

namespace Hadal.Model.Checkpoints;

/// <summary>The changes to a file system that atomic writing consists of; tests stop it between any two of them.</summary>
internal partial class FileOperations
{
    public static FileOperations Platform { get; } = new();

    public virtual void CreateFolder(string path) => Directory.CreateDirectory(path);

    /// <summary>A new file. The space is claimed at once where the file system can, so that a full disk shows before the work is done.</summary>
    public virtual Stream CreateFile(string path, long length, UnixFileMode? mode = null)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, PreallocationSize = length };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        return new FileStream(path, options);
    }

    /// <summary>Writes, and reports a file that grows beyond what the file system allows (4 GiB on FAT) as what it is; the platform calls it a wrong argument.</summary>
    /// <exception cref="IOException">It grew too large.</exception>
    public static void Write(Stream stream, Action<Stream> content)
    {
        try
        {
            content(stream);
        }
        catch (ArgumentOutOfRangeException e) when (e is { ParamName: "value", Source: "System.Private.CoreLib" })
        {
            throw new IOException("a file would be larger than the file system allows", e);
        }
    }

    public virtual void CopyFile(string from, string to) => File.Copy(from, to);

    public virtual void Move(string from, string to) => Directory.Move(from, to);

    public virtual void MoveFile(string from, string to) => File.Move(from, to, overwrite: true);

    public virtual void DeleteFolder(string path) => Directory.Delete(path, recursive: true);

    public virtual void DeleteFile(string path) => File.Delete(path);

    /// <summary>Waits until a file's content is on the disk.</summary>
    public virtual void FlushFile(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Waits until a folder's names are on the disk.</summary>
    public virtual void FlushFolder(string path)
    {
        // Windows has no such call: NTFS keeps names in its journal.
        if (OperatingSystem.IsWindows()) return;
        int file = Open(path, 0);
        if (file < 0) return;
        int result = FSync(file);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(file);

        // Some file systems cannot flush a folder and say so (EINVAL, ENOTSUP). Only a failing or full disk is an error.
        const int ioError = 5, noSpace = 28;
        if (result < 0 && error is ioError or noSpace) throw new IOException($"Flushing {path} failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FSync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);
}
