using Hadal.Data.Sources.Files;

namespace Hadal.Data.Sources;

/// <summary>
/// A person's own text: files and directories of <c>.txt</c>, <c>.md</c>, <c>.jsonl</c> and <c>.jsonl.gz</c> (one object with a <c>"text"</c> a line). Files come in the
/// ordinal order of their paths below each given path; invalid UTF-8 is replaced, never an error.
/// </summary>
public sealed class TextFiles : IDocumentSource
{
    private readonly TextFilesOptions _options;
    private readonly IReadOnlyList<FoundFile> _files;
    private readonly string _where;

    private TextFiles(IReadOnlyList<FoundFile> files, string where, TextFilesOptions options)
    {
        _files = files;
        _where = where;
        _options = options;
    }

    /// <inheritdoc/>
    public string Description => _files.Count == 1 ? _files[0].Path : $"{_files.Count} files in {_where}";

    /// <summary>The files, in the order in which they are read.</summary>
    public IReadOnlyList<string> Files => [.. _files.Select(f => f.Path)];

    /// <summary>Lists the files at once, so that a wrong path is told before any work is done; reads them later.</summary>
    /// <param name="paths">Files and directories, read in this order. Directories are searched to any depth, except hidden ones and links to directories.</param>
    /// <param name="options">What counts as text and where to cut; null for the defaults.</param>
    /// <exception cref="DataException">A path does not exist, a directory cannot be read, or nothing readable is there.</exception>
    public static TextFiles Open(IReadOnlyList<string> paths, TextFilesOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        options ??= new TextFilesOptions();
        if (paths.Count == 0) throw new DataException("No text was given; name at least one file or directory.");
        var files = new List<FoundFile>();
        foreach (string path in paths) files.AddRange(DirectoryListing.Find(path, options));
        return new TextFiles(files, string.Join(", ", paths), options);
    }

    /// <inheritdoc/>
    public IEnumerable<Document> Read(Action<string>? warn = null)
    {
        bool any = false;
        foreach (FoundFile file in _files)
        {
            if (!file.Named && file.Kind == FileKind.Text && TextFileReader.LooksBinary(file.Path))
            {
                warn?.Invoke($"Left out {file.Path}: it holds zero bytes, so it is binary, not text.");
                continue;
            }

            IEnumerable<Document> documents = file.Kind == FileKind.Text
                ? TextFileReader.Read(file, _options)
                : JsonLinesReader.Read(file, _options, warn);
            foreach (Document document in documents)
            {
                any = true;
                yield return document;
            }
        }

        if (!any) throw new DataException($"The corpus is empty: {Description} holds no text.");
    }
}
