namespace Hadal.Data.Sources.Files;

/// <summary>Reading with the platform's errors turned into sentences that name the file.</summary>
internal static class FileAccessErrors
{
    /// <summary>Opens a file for one pass from its beginning to its end.</summary>
    public static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw Wrap(path, e);
        }
    }

    /// <summary>Fills the span as far as the text goes.</summary>
    public static int Read(TextReader reader, Span<char> buffer, string path)
    {
        try
        {
            return reader.ReadBlock(buffer);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw Wrap(path, e);
        }
    }

    /// <summary>Reads some bytes; 0 at the end.</summary>
    public static int Read(Stream stream, Span<byte> buffer, string path)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw Wrap(path, e);
        }
    }

    private static bool IsExpected(Exception e) => e is IOException or UnauthorizedAccessException;

    private static DataException Wrap(string path, Exception e) => new($"{path} cannot be read ({e.Message.TrimEnd('.')}).", path, e);
}
