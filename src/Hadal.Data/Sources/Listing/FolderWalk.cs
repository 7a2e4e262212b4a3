using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Sources.Listing;

/// <summary>Looks through folders without recursion, without following links to folders, and without opening anything but plain files.</summary>
internal sealed class FolderWalk(InputOptions options, IReadReport? report)
{
    private long _unreadable;
    private long _empty;
    private long _otherEndings;

    /// <summary>The files at a path, in no particular order.</summary>
    public List<InputFile> Find(string path)
    {
        var files = new List<InputFile>();
        if (!Directory.Exists(path))
        {
            (InputKind kind, InputPacking packing) = InputEndings.Of(path) ?? (InputKind.Text, InputEndings.PackingOf(path));
            Add(new FileInfo(path), Path.GetFileName(path), kind, packing, files);
            return files;
        }

        var open = new Stack<(string Path, string Prefix)>();
        open.Push((path, ""));
        while (open.TryPop(out (string Path, string Prefix) folder))
        {
            try
            {
                foreach (FileSystemInfo entry in new DirectoryInfo(folder.Path).EnumerateFileSystemInfos()) Visit(entry, folder.Prefix, open, files);
            }
            catch (Exception e) when (e is UnauthorizedAccessException or IOException or System.Security.SecurityException)
            {
                Skip(folder.Path, $"the folder cannot be read ({e.Message.TrimEnd('.')})");
            }
        }

        return files;
    }

    /// <summary>Why there is nothing to read, as a sentence.</summary>
    public string NothingFound(IReadOnlyList<string> paths) => string.Create(
        CultureInfo.InvariantCulture,
        $"Nothing to read is left of {string.Join(", ", paths)}: {_unreadable} files and folders cannot be read, {_empty} files are empty, {_otherEndings} have endings that say nothing; give text, JSON, CSV, Parquet, HTML, WARC or source files.");

    private void Visit(FileSystemInfo entry, string prefix, Stack<(string Path, string Prefix)> open, List<InputFile> files)
    {
        if (entry.Name.StartsWith('.')) return;
        bool link = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
        if (entry is DirectoryInfo)
        {
            if (options.SkippedFolders.Contains(entry.Name, StringComparer.Ordinal)) return;
            if (link) Skip(entry.FullName, "a link to a folder is not followed; name the folder itself to read it", unreadable: false);
            else open.Push((entry.FullName, prefix + entry.Name + "/"));
            return;
        }

        if (InputEndings.Of(entry.Name) is not { } what)
        {
            _otherEndings++;
            return;
        }

        if (options.Kinds.Contains(what.Kind)) Add((FileInfo)entry, prefix + entry.Name, what.Kind, what.Packing, files);
    }

    private void Add(FileInfo file, string id, InputKind kind, InputPacking packing, List<InputFile> files)
    {
        try
        {
            FileInfo target = (file.Attributes & FileAttributes.ReparsePoint) != 0 && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo end ? end : file;

            // Pipes, sockets and devices have no length; opening one might wait for ever.
            if (target.Length == 0)
            {
                _empty++;
                return;
            }

            using SafeFileHandle handle = File.OpenHandle(file.FullName);
            files.Add(new InputFile(file.FullName, id, kind, packing, RandomAccess.GetLength(handle)));
        }
        catch (FileNotFoundException) when (id.Contains('\uFFFD', StringComparison.Ordinal))
        {
            Skip(file.FullName, "its name is not UTF-8, so it cannot be opened; rename it");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException or System.Security.SecurityException or NotSupportedException)
        {
            Skip(file.FullName, $"it cannot be read ({e.Message.TrimEnd('.')})");
        }
    }

    private void Skip(string path, string reason, bool unreadable = true)
    {
        if (unreadable) _unreadable++;
        report?.Add(new ReadProblem(ReadProblemKind.PathSkipped, path, null, reason));
    }
}
