using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>The <c>--out</c>, or another option, that names a file to write.</summary>
internal static class OutputFile
{
    /// <summary>Refuses a place that cannot be written, before the work is done.</summary>
    /// <returns>The path as given.</returns>
    public static string Check(string path, string option = "--out")
    {
        if (Directory.Exists(path)) throw new MistakeException($"{path} is a folder; {option} has to name a file");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? path;
        if (!Directory.Exists(folder)) throw new MistakeException($"There is no folder {folder} to write {Path.GetFileName(path)} in");
        return path;
    }
}
