using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>Reads from places in the files of a build.</summary>
internal static class FileBytes
{
    /// <summary>Fills a buffer from a place of a file.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public static void Read(SafeFileHandle file, Span<byte> bytes, long at)
    {
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(file, bytes, at);
            if (read == 0) throw new EndOfStreamException("A file in the work folder of the build ends too early; delete the folder of the build and begin anew.");
            bytes = bytes[read..];
            at += read;
        }
    }
}
