using Hadal.Model.Configuration;
using Hadal.Training.Metrics;

namespace Hadal.Training.Runs;

/// <summary>Looks into the folder of a run before anything is computed.</summary>
public static class RunFolder
{
    /// <summary>What a folder holds, seen from a run that is to go there.</summary>
    /// <param name="folder">The folder; may be missing.</param>
    /// <param name="run">The run, with the paths that <see cref="TrainingRun"/> is given.</param>
    /// <returns>The state.</returns>
    /// <exception cref="ConfigException">The folder's <c>run.json</c> is damaged.</exception>
    public static RunFolderState Look(string folder, RunConfig run)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(run);
        string runFile = Path.Combine(folder, "run.json"), metricsFile = Path.Combine(folder, "metrics.jsonl");
        if (!File.Exists(runFile) || !File.Exists(metricsFile)) return RunFolderState.Empty;
        if (new FileInfo(metricsFile).Length == 0 && !Directory.Exists(Path.Combine(folder, "model"))) return RunFolderState.Empty;
        if (TrainingRun.Hash(RunConfig.Load(runFile)) != TrainingRun.Hash(run)) return RunFolderState.OtherRun;
        string model = Path.Combine(folder, "model", ModelConfig.FileName);

        // The model is written behind the last line of the metrics; one that is older is of another run.
        bool complete = MetricsLog.Read(metricsFile) is [.., var last] && last.Step == run.Steps
            && File.Exists(model) && File.GetLastWriteTimeUtc(model) >= File.GetLastWriteTimeUtc(metricsFile);
        return complete ? RunFolderState.Complete : RunFolderState.Begun;
    }
}
