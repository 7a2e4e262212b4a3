using Hadal.Data.Sources.Packing;
using Hadal.Data.Sources.Records;
using Hadal.Data.Sources.Text;

namespace Hadal.Data.Sources;

/// <summary>Streams the documents of one file. Whatever its bytes are, what comes out is documents and reports.</summary>
public static class InputReader
{
    /// <summary>
    /// The documents in the order of the file, always the same, holding about one of them at a time. What cannot be used is reported and left out: a record alone where the next can
    /// still be found, else the rest of the file; documents that were read before stay. Nothing is read before the first document is asked for.
    /// </summary>
    /// <param name="file">The file, as <see cref="InputListing"/> found it.</param>
    /// <param name="options">Names of fields and bounds; null for the defaults.</param>
    /// <param name="report">Receives what could not be used; null to ignore it.</param>
    /// <exception cref="DataException">The options are wrong; never because of the file.</exception>
    public static IEnumerable<SourceDocument> Read(InputFile file, InputOptions? options = null, IReadReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        options ??= new InputOptions();
        options.Validate();
        return Guarded(file, options, report ?? Unheard.Instance);
    }

    private static IEnumerable<SourceDocument> Guarded(InputFile file, InputOptions options, IReadReport report)
    {
        using IEnumerator<SourceDocument> documents = Open(file, options, report).GetEnumerator();
        bool any = false;
        while (true)
        {
            try
            {
                if (!documents.MoveNext()) yield break;
            }
            catch (Exception e) when (e is DataException or IOException or UnauthorizedAccessException)
            {
                report.Add(new ReadProblem(any ? ReadProblemKind.FileCutShort : ReadProblemKind.PathSkipped, file.Id, null, e.Message.TrimEnd('.')));
                yield break;
            }

            any = true;
            yield return documents.Current;
        }
    }

    private static IEnumerable<SourceDocument> Open(InputFile file, InputOptions options, IReadReport report)
    {
        // A Parquet file is read from its end, so it is never a stream.
        // The gzip members of a web archive are told apart by its own reader.
        InputPacking packing = file is { Kind: InputKind.Warc, Packing: InputPacking.Gzip } ? InputPacking.None : file.Packing;
        using Stream stream = file.Kind == InputKind.Parquet ? Stream.Null : PackedInput.Open(file.Path, packing, ExpansionLimit.Of(options));
        IEnumerable<SourceDocument> documents = file.Kind switch
        {
            InputKind.JsonLines => JsonLinesInput.Read(file, stream, options, report),
            InputKind.Json => JsonValuesInput.Read(file, stream, options, report),
            InputKind.Csv or InputKind.Tsv => Delimited.DelimitedInput.Read(file, stream, options, report),
            InputKind.Parquet => Columnar.ColumnarInput.Read(file, options, report),
            InputKind.Html => Pages.PageInput.Read(file, stream, options, report),
            InputKind.Text or InputKind.SourceCode => TextInput.Read(file, stream, options, report),
            InputKind.Warc => WebArchives.ArchiveInput.Read(file, stream, options, report),
            _ => throw new ArgumentOutOfRangeException(nameof(file), file.Kind, "The kind of the file is unknown."),
        };
        foreach (SourceDocument document in documents) yield return document;
    }

    private sealed class Unheard : IReadReport
    {
        public static readonly Unheard Instance = new();

        public void Add(ReadProblem problem)
        {
        }
    }
}
