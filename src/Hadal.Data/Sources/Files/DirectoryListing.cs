namespace Hadal.Data.Sources.Files;

/// <summary>Finds the readable files at a path, in the same order on every machine.</summary>
internal static class DirectoryListing
{
    /// <exception cref="DataException">The path does not exist, a directory cannot be read, or nothing readable is there.</exception>
    public static IReadOnlyList<FoundFile> Find(string path, TextFilesOptions options)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new DataException("A data path is empty; name a file or a directory.");
        if (File.Exists(path)) return [new FoundFile(path, Path.GetFileName(path), KindOf(path, options) ?? FileKind.Text, Named: true)];
        if (!Directory.Exists(path)) throw new DataException($"{path} does not exist; name a file or a directory of text.", path);

        var files = new List<FoundFile>();
        Walk(new DirectoryInfo(path), "", options, files);
        if (files.Count == 0)
        {
            throw new DataException($"{path} holds no text; files ending in {string.Join(", ", options.TextExtensions)}, .jsonl or .jsonl.gz are read.", path);
        }

        // Over the whole path, with one separator: the order does not depend on the platform or the file system.
        files.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        return files;
    }

    private static void Walk(DirectoryInfo directory, string prefix, TextFilesOptions options, List<FoundFile> files)
    {
        FileSystemInfo[] entries;
        try
        {
            entries = directory.GetFileSystemInfos();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DataException($"The directory {directory.FullName} cannot be read ({e.Message.TrimEnd('.')}); give yourself access or name another path.", directory.FullName, e);
        }

        foreach (FileSystemInfo entry in entries)
        {
            string id = prefix + entry.Name;
            if (entry is DirectoryInfo child)
            {
                // A link may lead back up; hidden directories (.git) are no text of the person's.
                if (child.LinkTarget is null && !child.Name.StartsWith('.')) Walk(child, id + "/", options, files);
            }
            else if (KindOf(entry.Name, options) is { } kind)
            {
                files.Add(new FoundFile(entry.FullName, id, kind, Named: false));
            }
        }
    }

    private static FileKind? KindOf(string path, TextFilesOptions options)
    {
        if (path.EndsWith(".jsonl.gz", StringComparison.OrdinalIgnoreCase)) return FileKind.JsonLinesGzip;
        if (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)) return FileKind.JsonLines;
        return options.TextExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase) ? FileKind.Text : null;
    }
}
