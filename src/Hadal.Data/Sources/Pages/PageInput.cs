using System.Globalization;
using Hadal.Data.Sources.Files;
using Hadal.Data.Sources.Records;

namespace Hadal.Data.Sources.Pages;

/// <summary>The main text of a page as one document.</summary>
internal static class PageInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        byte[] buffer = new byte[(int)Math.Min(Math.Max(file.Bytes, 1 << 12) + 1, 1 << 20)];
        int held = 0;
        while (true)
        {
            // The buffer grows with what was really read.
            if (held == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, options.MaximumDocumentBytes + 1L));
            int read = FileAccessErrors.Read(stream, buffer.AsSpan(held), file.Path);
            if (read == 0) break;
            held += read;
            if (held <= options.MaximumDocumentBytes) continue;
            report.Add(new ReadProblem(ReadProblemKind.PathSkipped, file.Id, null, string.Create(CultureInfo.InvariantCulture, $"the page is longer than {options.MaximumDocumentBytes} bytes")));
            yield break;
        }

        string text = MainText.Of(PageEncoding.Decode(buffer.AsSpan(0, held), null, options.FallbackEncoding, out string? repair).AsMemory());
        if (text.Length == 0)
        {
            report.Add(new ReadProblem(ReadProblemKind.PathSkipped, file.Id, null, "the page has no text"));
            yield break;
        }

        if (repair is not null) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, null, repair));
        yield return new RecordFields(file, options).Document(text, file.Id, null, null, file.Id);
    }
}
