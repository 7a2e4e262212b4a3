using System.Globalization;
using Hadal.Data.Sources.Pages;
using Hadal.Data.Sources.Records;

namespace Hadal.Data.Sources.WebArchives;

/// <summary>Documents out of web archives, named by the addresses that they were found at.</summary>
internal static class ArchiveInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        var fields = new RecordFields(file, options);
        using var archive = new ArchiveReader(file, stream, options, report);
        while (archive.Next() is { } page)
        {
            string text = PageEncoding.Decode(page.Body.Span, page.Charset, options.FallbackEncoding, out string? repair);
            if (page.IsHtml) text = MainText.Of(text.AsMemory());
            bool empty = string.IsNullOrWhiteSpace(text);
            if ((page.Repair ?? (empty ? null : repair)) is { } reason)
            {
                report.Add(new ReadProblem(empty ? ReadProblemKind.RecordSkipped : ReadProblemKind.TextRepaired, file.Id, null, string.Create(CultureInfo.InvariantCulture, $"the page at byte {page.Offset} ({Shorten(page.Uri)}): {reason}")));
            }

            if (!empty) yield return fields.Document(text, page.Uri, null, null, fields.RecordPlace(archive.Record));
        }
    }

    private static string Shorten(string uri) => uri.Length > 200 ? uri[..200] + "…" : uri;
}
