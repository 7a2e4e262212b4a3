using System.Globalization;
using Hadal.Data.Sources.Files;

namespace Hadal.Data.Sources.Records;

/// <summary>Documents out of lines that are JSON objects each.</summary>
internal static class JsonLinesInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        var fields = new RecordFields(file, options);
        var lines = new LineReader(stream, file.Path, options.MaximumLineBytes);
        bool replace = options.InvalidText == InvalidText.Replace;
        var record = new JsonRecord(fields, replace, replace);
        while (lines.Next())
        {
            if (lines.TooLong)
            {
                report.Add(new ReadProblem(ReadProblemKind.RecordSkipped, file.Id, lines.Number, string.Create(CultureInfo.InvariantCulture, $"the line is longer than {options.MaximumLineBytes} bytes")));
                continue;
            }

            record.Parse(lines.Current);
            if (record.IsBlank) continue;
            if (record.Text is null)
            {
                report.Add(new ReadProblem(ReadProblemKind.RecordSkipped, file.Id, lines.Number, record.Error!));
                continue;
            }

            if (record.Repair is { } repair) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, lines.Number, repair));
            yield return fields.Document(record.Text, record.Id, record.Source, record.Language, fields.LinePlace(lines.Number));
        }
    }
}
