using System.Globalization;
using Hadal.Data.Sources.Files;
using Hadal.Data.Sources.Records;

namespace Hadal.Data.Sources.Text;

/// <summary>A plain text or source file as one document, or, where it is longer than a document may be, as several.</summary>
internal static class TextInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        var fields = new RecordFields(file, options);
        using Stream utf8 = TextEncodings.AsUtf8(stream, options.FallbackEncoding);
        byte[] buffer = new byte[(int)Math.Min(Math.Max(file.Bytes, 1 << 12) + 1, 1 << 20)];
        int held = 0;
        long part = 0, line = 1;
        while (true)
        {
            while (held <= options.MaximumDocumentBytes)
            {
                // The buffer grows with what was really read.
                if (held == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, options.MaximumDocumentBytes + 1L));
                int read = FileAccessErrors.Read(utf8, buffer.AsSpan(held), file.Path);
                if (read == 0) break;
                held += read;
            }

            if (part == 0 && buffer.AsSpan(0, Math.Min(held, 8192)).Contains((byte)0))
            {
                report.Add(new ReadProblem(ReadProblemKind.PathSkipped, file.Id, null, "it holds zero bytes, so it is binary, not text"));
                yield break;
            }

            bool more = held > options.MaximumDocumentBytes;
            int length = more ? CutPoint(buffer.AsSpan(0, options.MaximumDocumentBytes)) : held;
            string text = TextEncodings.Decode(buffer.AsSpan(0, length), out long invalid);
            if (invalid > 0) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, part == 0 ? null : line, string.Create(CultureInfo.InvariantCulture, $"it is not valid UTF-8 in {invalid} places; U+FFFD stands for what is invalid")));
            if (more && part == 0) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, null, string.Create(CultureInfo.InvariantCulture, $"it is longer than {options.MaximumDocumentBytes} bytes and is cut into several documents")));
            string place = part == 0 ? file.Id : fields.LinePlace(line);
            if (length > 0) yield return fields.Document(text, part == 0 && !more ? file.Id : fields.RecordPlace(part), null, null, place);
            if (!more) yield break;
            line += buffer.AsSpan(0, length).Count((byte)'\n');
            buffer.AsSpan(length, held - length).CopyTo(buffer);
            held -= length;
            part++;
        }
    }

    // After the last line end in the second half, else after the last blank there, else before the last character.
    private static int CutPoint(ReadOnlySpan<byte> text)
    {
        int half = text.Length / 2;
        int at = text[half..].LastIndexOf((byte)'\n');
        if (at < 0) at = text[half..].LastIndexOf((byte)' ');
        if (at >= 0) return half + at + 1;
        int end = text.Length;
        while (end > text.Length - 4 && (text[end - 1] & 0xC0) == 0x80) end--;
        return end > 1 && text[end - 1] >= 0xC0 ? end - 1 : text.Length;
    }
}
