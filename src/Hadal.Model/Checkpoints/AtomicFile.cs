namespace Hadal.Model.Checkpoints;

/// <summary>Writes a file beside its final name, flushes it to the disk and renames it, so that the name never stands for half a file.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file; one that is there is replaced when the new one is complete.</summary>
    /// <param name="path">The final name; its folder must exist. A device such as <c>/dev/stdout</c> is written directly.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="mode">Who may read and write the file from its first byte on, less what the process' umask takes away; null for the usual. Without effect on
    /// Windows.</param>
    /// <exception cref="IOException">The disk is full or failing, or the folder is missing; nothing is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, Action<Stream> write, UnixFileMode? mode = null) => Write(path, 0, write, FileOperations.Platform, mode);

    internal static void Write(string path, long length, Action<Stream> write, FileOperations files, UnixFileMode? mode = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        path = Path.GetFullPath(path);
        if (IsDevice(path))
        {
            using var device = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
            write(device);
            device.Flush();
            return;
        }

        string temporary = AtomicFolder.Sibling(path, AtomicFolder.TemporaryMark);
        try
        {
            using (var stream = files.CreateFile(temporary, length, mode)) FileOperations.Write(stream, write);
            files.FlushFile(temporary);
            files.MoveFile(temporary, path);
        }
        catch (Exception fault)
        {
            try
            {
                files.DeleteFile(temporary);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The first failure is the one to report.
            }

            // A person knows the file by its final name.
            if (!fault.Message.Contains(temporary, StringComparison.Ordinal)) throw;
            string message = fault.Message.Replace(temporary, path, StringComparison.Ordinal);
            switch (fault)
            {
                case UnauthorizedAccessException: throw new UnauthorizedAccessException(message, fault);
                case IOException: throw new IOException(message, fault);
                default: throw;
            }
        }

        files.FlushFolder(Path.GetDirectoryName(path)!);
    }

    // Renaming over a device or a link to standard output would replace it. What is written there has no half.
    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && (path.StartsWith("/proc/", StringComparison.Ordinal)
        || (path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal)));
}
