using Hadal.Cli.Errors;
using Hadal.Model.Configuration;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Cli.Wiring;

/// <summary>A run as its folder tells of it, whether it is still going or not.</summary>
/// <param name="Name">What to call it: the end of its path that tells it from the others.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Run">Its run file.</param>
/// <param name="Steps">What it measured so far; a damaged line is left out.</param>
internal sealed record RunRecord(string Name, string Folder, RunConfig Run, IReadOnlyList<StepMetrics> Steps)
{
    /// <summary>Its model; null where the run file leaves that to a folder.</summary>
    public ModelConfig? Model => Run.Model.Count == 0 ? null : Run.ReadModel(Path.Combine(Folder, "run.json"));

    /// <summary>Where the folder of a run stands.</summary>
    public string State => RunFolder.IsTraining(Folder) ? "running" : RunFolder.Look(Folder, Run) == RunFolderState.Complete ? "complete" : "stopped";

    /// <summary>Reads runs.</summary>
    /// <param name="paths">Their folders, or their <c>metrics.jsonl</c>.</param>
    /// <returns>The runs in that order.</returns>
    public static IReadOnlyList<RunRecord> Open(IReadOnlyList<string> paths)
    {
        string[] folders = [.. paths.Select(FolderOf)];
        string[] names = Names(folders);
        return [.. folders.Select((folder, i) => new RunRecord(names[i], folder, RunConfig.Load(Path.Combine(folder, "run.json")), ReadSteps(folder)))];
    }

    /// <summary>The folder that a path means.</summary>
    public static string FolderOf(string path)
    {
        string folder = File.Exists(path) && Path.GetFileName(path) is "metrics.jsonl" or "run.json" ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
        if (!Directory.Exists(folder)) throw new MistakeException(File.Exists(folder) ? $"{path} is a file, not the folder of a run" : $"There is no folder {path}");
        if (!File.Exists(Path.Combine(folder, "run.json"))) throw new MistakeException($"{path} is not the folder of a run: it has no run.json, which hadal train writes");
        return folder;
    }

    private static IReadOnlyList<StepMetrics> ReadSteps(string folder)
    {
        string file = Path.Combine(folder, "metrics.jsonl");
        return File.Exists(file) ? MetricsLog.Read(file) : [];
    }

    // As many of the last parts of the paths as tell them apart, less what all of them end in.
    internal static string[] Names(string[] folders)
    {
        string[][] parts = [.. folders.Select(f => Path.TrimEndingDirectorySeparator(Path.GetFullPath(f)).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))];

        // A seed alone says nothing: in the folder of a study the variant is before it.
        for (int n = parts.Any(p => p is [.., _, var last] && last.StartsWith("seed-", StringComparison.Ordinal)) ? 2 : 1; ; n++)
        {
            string[] names = [.. parts.Select(p => string.Join('/', p.TakeLast(n)))];
            if (names.Distinct(StringComparer.Ordinal).Count() == names.Length || n >= parts.Max(p => p.Length)) return names;
        }
    }
}
