using System.Globalization;
using Hadal.Data.Sources.Packing;
using Hadal.Data.Sources.Records;

namespace Hadal.Data.Sources.Files;

/// <summary>Reads a file of JSON objects, one a line. A bad line is left out and named; a file of nothing but bad lines is an error.</summary>
internal static class JsonLinesReader
{
    // So many bad lines are named and the others counted: a wrong file must not flood the screen.
    private const int NamedLines = 5;

    // A person trains on files of their own; only the length of a line and of a document is bounded here.
    private static readonly ExpansionLimit _unbounded = new(long.MaxValue, 1, 27);

    /// <exception cref="DataException">The file cannot be read, does not unpack, or has no good line.</exception>
    public static IEnumerable<Document> Read(FoundFile file, TextFilesOptions options, Action<string>? warn)
    {
        InputPacking packing = file.Kind == FileKind.JsonLinesGzip ? InputPacking.Gzip : InputPacking.None;
        using Stream stream = PackedInput.Open(file.Path, packing, _unbounded);
        var lines = new LineReader(stream, file.Path, options.MaximumLineBytes);
        var named = new InputFile(file.Path, file.Id, InputKind.JsonLines, packing, 0);
        var line = new JsonRecord(new RecordFields(named, new InputOptions { TextField = options.TextField }), replaceBytes: true, replaceHalves: false);
        long good = 0, bad = 0;
        string firstError = "";
        while (lines.Next())
        {
            string? bound = lines.TooLong ? Invariant($"the line is longer than {options.MaximumLineBytes} bytes") : null;
            if (bound is null) line.Parse(lines.Current);
            if (bound is null && line.IsBlank) continue;
            if ((bound ?? line.Error) is { } error)
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

        if (bad > NamedLines) warn?.Invoke(Invariant($"Left out {bad} bad lines of {file.Path} in all ({good} are good)."));
        if (bad > 0 && good == 0)
        {
            throw new DataException(Invariant($"No line of {file.Path} is a JSON object with a \"{options.TextField}\" string ({bad} bad lines; the first: {firstError})."), file.Path);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
