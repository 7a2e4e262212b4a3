using System.Globalization;
using Hadal.Data.Sources.Listing;

namespace Hadal.Data.Sources;

/// <summary>Finds the files to read, in the same order on every machine.</summary>
public static class InputListing
{
    /// <summary>
    /// Files and folders, searched to any depth. The files of one given path come in the ordinal order of their <see cref="InputFile.Id"/>, the given paths in theirs; a
    /// file that is reached twice counts once. Folders whose names begin with a dot or that <see cref="InputOptions.SkippedFolders"/> names are not entered; links to files
    /// are followed, links to folders are not (a loop cannot be entered), which is reported. Where two given paths hold files of one name, those of the later
    /// path are told apart by its number (<c>@2/name</c>). An empty file holds nothing and is left out.
    /// </summary>
    /// <param name="paths">Files and folders; a file that is named here is read as text if its ending says nothing.</param>
    /// <param name="options">What is looked for; null for the defaults.</param>
    /// <param name="report">Receives what cannot be read; null to ignore it.</param>
    /// <exception cref="DataException">A given path does not exist, or nothing is left to read.</exception>
    public static IReadOnlyList<InputFile> Find(IReadOnlyList<string> paths, InputOptions? options = null, IReadReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        options ??= new InputOptions();
        options.Validate();
        if (paths.Count == 0) throw new DataException("No input was given; name at least one file or folder.");
        foreach (string path in paths)
        {
            if (string.IsNullOrEmpty(path)) throw new DataException("An input path is empty; name a file or a folder.");
            if (!Path.Exists(path)) throw new DataException($"{path} does not exist; name a file or a folder.", path);
        }

        var found = new List<InputFile>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var full = new HashSet<string>(StringComparer.Ordinal);
        var walk = new FolderWalk(options, report);
        for (int p = 0; p < paths.Count; p++)
        {
            List<InputFile> files = walk.Find(paths[p]);
            files.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
            bool clash = files.Exists(f => ids.Contains(f.Id) && !full.Contains(Path.GetFullPath(f.Path)));
            foreach (InputFile file in files)
            {
                if (!full.Add(Path.GetFullPath(file.Path))) continue;
                InputFile named = clash ? file with { Id = string.Create(CultureInfo.InvariantCulture, $"@{p + 1}/{file.Id}") } : file;
                ids.Add(named.Id);
                found.Add(named);
            }
        }

        return found.Count > 0 ? found : throw new DataException(walk.NothingFound(paths), paths[0]);
    }
}
