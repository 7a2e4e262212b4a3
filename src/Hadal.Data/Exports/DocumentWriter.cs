namespace Hadal.Data.Exports;

/// <summary>
/// Writes documents to a file, the same bytes for the same documents. The file is written beside its place and takes its name in <see cref="Complete"/>; without that call nothing is left.
/// </summary>
public sealed class DocumentWriter : IDisposable
{
    private readonly string _path;
    private readonly string _beside;
    private readonly FileStream _file;
    private readonly DocumentEncoding _encoding;
    private bool _closed;

    private DocumentWriter(string path, DocumentFormat format)
    {
        _path = path;
        _beside = path + ".partial";
        _file = new FileStream(_beside, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 17);
        _encoding = format == DocumentFormat.Parquet ? new ColumnarEncoding(_file, path) : new JsonLinesEncoding(_file, format);
    }

    /// <summary>Documents written so far.</summary>
    public long Count { get; private set; }

    /// <summary>The format that a name means: <c>.jsonl</c>, <c>.jsonl.gz</c>, <c>.jsonl.zst</c>, <c>.parquet</c>.</summary>
    /// <param name="path">The name of a file.</param>
    /// <exception cref="DataException">It ends in none of these.</exception>
    public static DocumentFormat FormatOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)) return DocumentFormat.JsonLines;
        if (path.EndsWith(".jsonl.gz", StringComparison.OrdinalIgnoreCase)) return DocumentFormat.JsonLinesGzip;
        if (path.EndsWith(".jsonl.zst", StringComparison.OrdinalIgnoreCase)) return DocumentFormat.JsonLinesZstandard;
        if (path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase)) return DocumentFormat.Parquet;
        throw new DataException($"{path} does not say how to write documents; end it in .jsonl, .jsonl.gz, .jsonl.zst or .parquet.", path);
    }

    /// <summary>Begins a file; its folder is made if it is missing.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="format">How it is written; null for what its name says.</param>
    /// <exception cref="DataException">The file cannot be made, or its name says no format.</exception>
    public static DocumentWriter Create(string path, DocumentFormat? format = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        DocumentFormat chosen = format ?? FormatOf(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return new DocumentWriter(path, chosen);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
    }

    /// <summary>Writes a document after those before.</summary>
    /// <param name="document">The document; lone surrogates in it become U+FFFD.</param>
    /// <exception cref="DataException">The disk takes no more; in Parquet, a further field comes late or has a name that is taken.</exception>
    public void Write(ExportDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            _encoding.Write(document);
        }
        catch (IOException e)
        {
            throw Failed(_path, e);
        }

        Count++;
    }

    /// <summary>Closes the file, flushes it to the disk and gives it its name, over a file that had it before.</summary>
    /// <exception cref="DataException">The disk takes no more, or the name cannot be given.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            _encoding.Finish();
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            File.Move(_beside, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(_path, e);
        }

        _closed = true;
        _encoding.Dispose();
    }

    /// <summary>Drops what was written if it was not completed.</summary>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        try
        {
            _encoding.Dispose();
            _file.Dispose();
        }
        catch (IOException)
        {
            // The file is dropped; that its last bytes found no room does not matter.
        }

        File.Delete(_beside);
    }

    private static DataException Failed(string path, Exception e) => new($"{path} cannot be written ({e.Message.TrimEnd('.')}).", path, e);
}
