using System.Globalization;

namespace Hadal.Data.Sources.Records;

/// <summary>Documents out of a file that is an array of JSON objects, or objects one after another.</summary>
internal static class JsonValuesInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        var fields = new RecordFields(file, options);
        var values = new JsonValueReader(stream, file.Path, options.MaximumLineBytes);
        bool replace = options.InvalidText == InvalidText.Replace;
        var record = new JsonRecord(fields, replace, replace);
        while (values.Next())
        {
            string? error = null;
            if (values.TooLong) error = string.Create(CultureInfo.InvariantCulture, $"the value is longer than {options.MaximumLineBytes} bytes");
            else if (values.Unended) error = "the value is cut off by the end of the file";
            else record.Parse(values.Current);
            if (error is null && record.IsBlank) continue;
            error ??= record.Text is null ? record.Error : null;
            if (error is not null)
            {
                report.Add(new ReadProblem(ReadProblemKind.RecordSkipped, file.Id, values.Line, error));
                continue;
            }

            if (record.Repair is { } repair) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, values.Line, repair));
            yield return fields.Document(record.Text!, record.Id, record.Source, record.Language, fields.RecordPlace(values.Number));
        }

        if (values.OpenArray) report.Add(new ReadProblem(ReadProblemKind.FileCutShort, file.Id, values.Line, "the array is not closed"));
    }
}
