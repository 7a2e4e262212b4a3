using Hadal.Model.Configuration;
using Hadal.Training.Checkpoints;
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
        string hash = TrainingRun.Hash(run);
        if (TrainingRun.Hash(RunConfig.Load(runFile)) != hash) return RunFolderState.OtherRun;
        string model = Path.Combine(folder, "model");

        // The model itself says which run it is the end of: times of files are worth nothing when a clock is set.
        bool complete = MetricsLog.Read(metricsFile) is [.., var last] && last.Step == run.Steps && File.Exists(Path.Combine(model, ModelConfig.FileName))
            && TrainingState.TryRead(Path.Combine(model, TrainingState.FileInModel)) is { } end && end.Step == run.Steps && end.RunHash == hash;
        return complete ? RunFolderState.Complete : RunFolderState.Begun;
    }

    /// <summary>Whether a process on this machine trains in a folder right now.</summary>
    /// <param name="folder">The folder of a run.</param>
    /// <returns>False too for a run whose process was killed.</returns>
    public static bool IsTraining(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return RunLock.IsTaken(folder);
    }
}
