using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>Opens the files that hold tensors.</summary>
internal static class CheckpointFiles
{
    /// <summary>Maps a file.</summary>
    /// <exception cref="CheckpointException">It is missing or cannot be read.</exception>
    public static MappedFile Map(string path)
    {
        try
        {
            return MappedFile.Open(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException(path, null, "there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CheckpointException(path, null, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
