using System.Security.Cryptography;

namespace Hadal.Model.Checkpoints;

/// <summary>
/// Writes a whole folder so that, whenever the process or the machine dies, its name stands for the complete old content or the complete new content.
/// </summary>
/// <remarks>
/// <para>For a folder <c>model</c>: (1) the new content is written to <c>model.tmp-…</c> and flushed to the disk, (2) <c>model</c> is renamed to
/// <c>model.old-…</c>, (3) <c>model.tmp-…</c> is renamed to <c>model</c>, (4) the old content is deleted.</para>
/// <para>A death between (2) and (3) leaves no <c>model</c>. <see cref="Recover"/>, which loading and the next write call, then renames
/// <c>model.old-…</c> back. What else a death leaves behind is deleted by the next write. <c>model.lock</c> is held while writing, so that neither
/// touches the work of a writer that lives.</para>
/// </remarks>
public static class AtomicFolder
{
    internal const string TemporaryMark = ".tmp-";
    internal const string OldMark = ".old-";
    internal const string LockSuffix = ".lock";

    /// <summary>Writes a folder; one that is there is replaced when the new one is complete.</summary>
    /// <param name="folder">The final name. Its parents are made if they are missing; a symbolic link is followed.</param>
    /// <param name="fill">Writes the content into the folder it is given.</param>
    /// <exception cref="CheckpointException">The disk is full or failing, the folder may not be written, or another process is writing it. What was there is
    /// untouched and nothing is left behind. Other exceptions of <paramref name="fill"/> pass through, with the same promise.</exception>
    public static void Write(string folder, Action<string> fill) => Write(folder, fill, FileOperations.Platform);

    /// <summary>Puts the old content of a folder back if a writer died between its two renames. Does nothing if the folder is there.</summary>
    /// <param name="folder">The folder.</param>
    /// <remarks>If a living writer is at that very point, waits for it, up to five seconds.</remarks>
    public static void Recover(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        try
        {
            folder = Locate(folder);
            for (int tries = 0; tries < 100 && !Exists(folder) && Siblings(folder, OldMark).Count > 0; tries++)
            {
                using (var guard = FolderLock.TryTake(folder + LockSuffix))
                {
                    if (guard is not null)
                    {
                        Restore(folder, FileOperations.Platform);
                        return;
                    }
                }

                Thread.Sleep(50);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Whoever opens the folder next reports that it is not there.
        }
    }

    internal static void Write(string folder, Action<string> fill, FileOperations files)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(fill);
        try
        {
            folder = Locate(folder);
            if (File.Exists(folder)) throw new IOException("a file of that name is in the way");
            files.CreateFolder(Path.GetDirectoryName(folder) ?? throw new IOException("the root folder cannot be replaced"));
            using var guard = FolderLock.TryTake(folder + LockSuffix) ?? throw new IOException("another process is writing it");
            Restore(folder, files);
            Clean(folder, files);
            WriteLocked(folder, fill, files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(folder, null, $"the folder cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>A fresh name beside a file or folder.</summary>
    internal static string Sibling(string path, string mark) => path + mark + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    private static void WriteLocked(string folder, Action<string> fill, FileOperations files)
    {
        string parent = Path.GetDirectoryName(folder)!;
        string temporary = Sibling(folder, TemporaryMark);
        string old = Sibling(folder, OldMark);
        bool replaces = Directory.Exists(folder), oldIsAside = false, newIsIn = false;
        try
        {
            files.CreateFolder(temporary);
            fill(temporary);
            FlushTree(temporary, files);
            if (replaces) files.Move(folder, old);
            oldIsAside = replaces;
            files.Move(temporary, folder);
            newIsIn = true;
            files.FlushFolder(parent);
        }
        catch
        {
            Quietly(() =>
            {
                if (newIsIn) files.Move(folder, temporary);
                if (oldIsAside) files.Move(old, folder);
            });
            Quietly(() => Clean(folder, files));
            throw;
        }

        if (replaces) Quietly(() => Discard(folder, old, files));
    }

    /// <summary>Renames the newest old content back if the folder is missing.</summary>
    private static void Restore(string folder, FileOperations files)
    {
        if (Exists(folder)) return;
        string? newest = Siblings(folder, OldMark).MaxBy(Directory.GetLastWriteTimeUtc);
        if (newest is not null) files.Move(newest, folder);
    }

    /// <summary>Deletes what dead writers left.</summary>
    private static void Clean(string folder, FileOperations files)
    {
        foreach (string temporary in Siblings(folder, TemporaryMark)) files.DeleteFolder(temporary);
        if (!Exists(folder)) return;
        foreach (string old in Siblings(folder, OldMark)) Discard(folder, old, files);
    }

    // Under an old name only complete content may stand, for Restore to find; so it is renamed before its files go one by one.
    private static void Discard(string folder, string old, FileOperations files)
    {
        string temporary = Sibling(folder, TemporaryMark);
        files.Move(old, temporary);
        files.DeleteFolder(temporary);
    }

    private static void FlushTree(string folder, FileOperations files)
    {
        foreach (string file in Directory.EnumerateFiles(folder)) files.FlushFile(file);
        foreach (string inner in Directory.EnumerateDirectories(folder)) FlushTree(inner, files);
        files.FlushFolder(folder);
    }

    private static void Quietly(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What stays is taken away by the next write; the failure that led here is the one to report.
        }
    }

    private static string Locate(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var info = new DirectoryInfo(folder);
        return info.LinkTarget is null ? folder : info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder;
    }

    private static bool Exists(string folder) => Directory.Exists(folder) || File.Exists(folder);

    private static List<string> Siblings(string folder, string mark)
    {
        string parent = Path.GetDirectoryName(folder) ?? folder;
        string start = Path.GetFileName(folder) + mark;
        return Directory.Exists(parent) ? [.. Directory.EnumerateDirectories(parent).Where(IsSibling)] : [];

        // Exactly the names that Sibling makes: anything longer or other is somebody else's.
        bool IsSibling(string path)
        {
            string name = Path.GetFileName(path);
            return name.Length == start.Length + 8 && name.StartsWith(start, StringComparison.Ordinal)
                && name.Skip(start.Length).All(char.IsAsciiHexDigitLower);
        }
    }
}
