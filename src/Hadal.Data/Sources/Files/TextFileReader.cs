using System.Globalization;
using System.Text;

namespace Hadal.Data.Sources.Files;

/// <summary>Reads a plain text file as one document, or as several if it is long.</summary>
internal static class TextFileReader
{
    private const int SampleBytes = 8192;

    /// <summary>Whether the first bytes hold a zero and no UTF-16 or UTF-32 byte order mark. A file that cannot be read is not called binary: reading tells more.</summary>
    public static bool LooksBinary(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            byte[] sample = new byte[SampleBytes];
            int read = stream.ReadAtLeast(sample, sample.Length, throwOnEndOfStream: false);
            bool wide = read >= 2 && (sample[0], sample[1]) is (0xFF, 0xFE) or (0xFE, 0xFF)
                || read >= 4 && sample is [0, 0, 0xFE, 0xFF, ..];
            return !wide && sample.AsSpan(0, read).Contains((byte)0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <exception cref="DataException">The file cannot be read or is binary.</exception>
    public static IEnumerable<Document> Read(FoundFile file, TextFilesOptions options)
    {
        if (LooksBinary(file.Path)) throw new DataException($"{file.Path} holds zero bytes, so it is binary; name a text file (UTF-8).", file.Path);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumDocumentCharacters, 2);
        using var reader = new StreamReader(FileAccessErrors.Open(file.Path), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);

        // One document is held, plus one character to see whether the file goes on.
        char[] buffer = new char[options.MaximumDocumentCharacters + 1];
        int held = 0, part = 0;
        while (true)
        {
            held += FileAccessErrors.Read(reader, buffer.AsSpan(held), file.Path);
            bool more = held == buffer.Length;
            int length = more ? CutPoint(buffer.AsSpan(0, held - 1)) : held;
            string text = new string(buffer, 0, length).Replace("\r\n", "\n", StringComparison.Ordinal);
            string id = part == 0 && !more ? file.Id : string.Create(CultureInfo.InvariantCulture, $"{file.Id}#{part}");
            if (!string.IsNullOrWhiteSpace(text)) yield return new Document(id, text);
            if (!more) yield break;
            buffer.AsSpan(length, held - length).CopyTo(buffer);
            held -= length;
            part++;
        }
    }

    // After the last line end in the second half, else after the last space there, else anywhere but inside a surrogate pair.
    private static int CutPoint(ReadOnlySpan<char> text)
    {
        int half = text.Length / 2;
        int at = text[half..].LastIndexOf('\n');
        if (at < 0) at = text[half..].LastIndexOf(' ');
        if (at >= 0) return half + at + 1;
        return char.IsHighSurrogate(text[^1]) && text.Length > 1 ? text.Length - 1 : text.Length;
    }
}
