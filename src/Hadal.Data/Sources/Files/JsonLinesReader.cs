using System.Globalization;
using System.Text;

namespace Hadal.Data.Sources.Files;

/// <summary>Reads a file of JSON objects, one a line. A bad line is left out and named; a file of nothing but bad lines is an error.</summary>
internal static class JsonLinesReader
{
    // So many bad lines are named and the others counted: a wrong file must not flood the screen.
    private const int NamedLines = 5;

    /// <exception cref="DataException">The file cannot be read, does not unpack, or has no good line.</exception>
    public static IEnumerable<Document> Read(FoundFile file, TextFilesOptions options, Action<string>? warn)
    {
        using FileStream raw = FileAccessErrors.Open(file.Path);
        using Stream stream = file.Kind == FileKind.JsonLinesGzip ? GzipLines.Open(raw) : raw;
        var lines = new LineReader(stream, file.Path, options.MaximumLineBytes);
        byte[] field = Encoding.UTF8.GetBytes(options.TextField);
        long good = 0, bad = 0;
        string firstError = "";
        bool whole = file.Kind != FileKind.JsonLinesGzip;
        while (lines.Next())
        {
            if (!whole && lines.Current.SequenceEqual(GzipLines.End))
            {
                whole = true;
                break;
            }

            JsonLine line = lines.TooLong ? JsonLine.Bad(Invariant($"the line is longer than {options.MaximumLineBytes} bytes")) : JsonLine.Parse(lines.Current, field);
            if (line.IsBlank) continue;
            if (line.Error is { } error)
            {
                bad++;
                string sentence = Invariant($"{file.Path}:{lines.Number}: {error}");
                if (bad == 1) firstError = sentence;
                if (bad <= NamedLines) warn?.Invoke($"Left out a line: {sentence}.");
                continue;
            }

            good++;
            if (string.IsNullOrWhiteSpace(line.Text)) continue;
            yield return new Document(line.Id is null ? Invariant($"{file.Id}:{lines.Number}") : $"{file.Id}:{line.Id}", line.Text);
        }

        if (!whole) throw new DataException(Invariant($"{file.Path} is damaged or cut short: the archive ends after line {lines.Number} without its closing part."), file.Path);
        if (bad > NamedLines) warn?.Invoke(Invariant($"Left out {bad} bad lines of {file.Path} in all ({good} are good)."));
        if (bad > 0 && good == 0)
        {
            throw new DataException(Invariant($"No line of {file.Path} is a JSON object with a \"{options.TextField}\" string ({bad} bad lines; the first: {firstError})."), file.Path);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
