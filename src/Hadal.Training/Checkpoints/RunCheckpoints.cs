using Hadal.Model.Checkpoints;

namespace Hadal.Training.Checkpoints;

/// <summary>The checkpoints of a run: copied between two steps, written beside the steps that follow, at most one at a time.</summary>
/// <param name="folder">Where they are.</param>
/// <param name="store">What is kept.</param>
/// <param name="keep">How many stay.</param>
/// <param name="tokenizerFiles">Files copied into each.</param>
internal sealed class RunCheckpoints(string folder, IRunStore store, int keep, IReadOnlyList<string> tokenizerFiles)
{
    private readonly BackgroundWriter _writer = new();

    public string Folder => folder;

    /// <summary>Called by the writer's thread before it writes the checkpoint of a step.</summary>
    public Action<int>? Writing { get; set; }

    /// <summary>Begins to write a checkpoint, behind the one that is under way if there is one.</summary>
    /// <param name="state">Where the run stands.</param>
    /// <param name="warn">Told if the one before could not be written.</param>
    public void Begin(TrainingState state, Action<string>? warn)
    {
        Report(wait: true, warn);
        Write(state, prune: true);
    }

    /// <summary>Writes a checkpoint now.</summary>
    /// <param name="state">Where the run stands.</param>
    /// <param name="prune">Whether older ones go.</param>
    /// <param name="warn">Told if the one before could not be written.</param>
    /// <exception cref="CheckpointException">The disk is full or the folder cannot be written; nothing is left behind.</exception>
    public void Save(TrainingState state, bool prune, Action<string>? warn)
    {
        Report(wait: true, warn);
        Write(state, prune);
        switch (_writer.Collect(wait: true))
        {
            case null: return;
            case CheckpointException e: throw new CheckpointException(e.Path, e.TensorName, Problem(e), e);
            case var e: throw new CheckpointException(folder, null, $"the checkpoint cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Tells of a checkpoint that could not be written.</summary>
    /// <param name="wait">Whether to wait for the one under way.</param>
    /// <param name="warn">Told.</param>
    public void Report(bool wait, Action<string>? warn)
    {
        if (_writer.Collect(wait) is { } e) warn?.Invoke($"A checkpoint could not be written and left nothing behind; the run goes on, and the next one is tried. {e.Message.TrimEnd('.')}.");
    }

    /// <summary>Fills the model from the newest sound checkpoint.</summary>
    /// <param name="hash">Of the run that it has to belong to.</param>
    /// <param name="data">Which data the run reads; null where it is not known.</param>
    /// <param name="warn">Told of damaged ones.</param>
    /// <returns>Where the run stands; null if there is no checkpoint.</returns>
    /// <exception cref="CheckpointException">All are damaged.</exception>
    /// <exception cref="Runs.TrainingException">The checkpoint belongs to another run, or to other data.</exception>
    public TrainingState? TakeUp(string hash, string? data, Action<string>? warn)
    {
        Report(wait: true, warn);
        if (store.FindNewest(folder, warn) is not { } newest) return null;
        var state = TrainingCheckpoint.ReadState(newest);
        if (state.RunHash != hash) throw new Runs.TrainingException($"{newest} belongs to a run with another model, data or batch; use its run file, or another folder.");
        if (state.Data is { } trained && data is not null && trained != data)
            throw new Runs.TrainingException($"{newest} is of a run over other data than those that are there now, so that going on would repeat some of it and miss some; put back what the run began with, or use another folder.");
        store.Load(newest);
        return state;
    }

    private void Write(TrainingState state, bool prune)
    {
        store.Take();
        _writer.Begin(() =>
        {
            Writing?.Invoke(state.Step);
            Directory.CreateDirectory(folder);
            store.Write(Path.Combine(folder, TrainingCheckpoint.Name(state.Step)), state, tokenizerFiles);
            if (prune) store.Prune(folder, keep);
        });
    }

    // The message without the path that the exception puts before it.
    private static string Problem(CheckpointException e) =>
        (e.Message.StartsWith(e.Path + ": ", StringComparison.Ordinal) ? e.Message[(e.Path.Length + 2)..] : e.Message).TrimEnd('.');
}
