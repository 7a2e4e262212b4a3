using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Hadal.Data.Sources.Records;
using Hadal.Data.Sources.Text;

namespace Hadal.Data.Sources.Delimited;

/// <summary>Documents out of a table whose first row names its columns.</summary>
internal static class DelimitedInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        var fields = new RecordFields(file, options);
        using Stream utf8 = TextEncodings.AsUtf8(stream, options.FallbackEncoding);
        var rows = new RowReader(utf8, file.Path, options.MaximumLineBytes);
        byte separator = file.Kind == InputKind.Tsv ? (byte)'\t' : Separator(rows.Peek());
        if (!rows.Next(separator)) yield break;
        string[] columns = [.. Enumerable.Range(0, Math.Min(rows.Count, 10_000)).Select(i => Value(rows, i).Trim())];
        int text = Column(columns, options.TextField), id = Column(columns, options.IdField), source = Column(columns, options.SourceField);
        int language = options.LanguageFields.Select(f => Column(columns, f)).FirstOrDefault(c => c >= 0, -1);
        if (text < 0)
        {
            string names = string.Join(", ", columns.Take(10).Select(c => c.Length > 40 ? c[..40] + "…" : c));
            report.Add(new ReadProblem(ReadProblemKind.PathSkipped, file.Id, 1, $"its first row names no column \"{options.TextField}\" (it names {names})"));
            yield break;
        }

        while (rows.Next(separator))
        {
            string? error = rows switch
            {
                { Unended: true } => "a value's quotes are not closed before the end of the file",
                { TooLong: true } => string.Create(CultureInfo.InvariantCulture, $"the row is longer than {options.MaximumLineBytes} bytes"),
                { IsBlank: true } when columns.Length > 1 => "",
                _ when rows.Count != columns.Length => string.Create(CultureInfo.InvariantCulture, $"the row has {rows.Count} values, not {columns.Length}"),
                _ => fields.TooLong(rows.Raw(text).Length),
            };
            bool valid = error is not null || (Utf8.IsValid(rows.Raw(text)) && (id < 0 || Utf8.IsValid(rows.Raw(id))));
            if (!valid && options.InvalidText == InvalidText.Skip) error = "it is not valid UTF-8";
            if (error is not null)
            {
                if (error.Length > 0) report.Add(new ReadProblem(ReadProblemKind.RecordSkipped, file.Id, rows.Line, error));
                continue;
            }

            if (!valid) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, rows.Line, "it is not valid UTF-8; U+FFFD stands for what is invalid"));
            yield return fields.Document(Value(rows, text), Optional(rows, id), Optional(rows, source), Optional(rows, language), fields.LinePlace(rows.Line));
        }
    }

    // The one of the usual separators that stands most often in the first row; a comma if none does.
    private static byte Separator(ReadOnlySpan<byte> firstLine)
    {
        byte best = (byte)',';
        foreach (byte candidate in ",;\t|"u8)
        {
            if (firstLine.Count(candidate) > firstLine.Count(best)) best = candidate;
        }

        return best;
    }

    private static int Column(string[] columns, string name)
    {
        int exact = Array.IndexOf(columns, name);
        return exact >= 0 ? exact : Array.FindIndex(columns, c => c.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static string Value(RowReader rows, int i)
    {
        string value = Encoding.UTF8.GetString(rows.Raw(i));
        return rows.Quoted(i) ? value.Replace("\"\"", "\"", StringComparison.Ordinal) : value;
    }

    private static string? Optional(RowReader rows, int i) => i >= 0 && rows.Raw(i).Length > 0 ? Value(rows, i) : null;
}
