using Hadal.Model.Checkpoints;

namespace Hadal.Training.Checkpoints;

/// <summary>Brings what a run has to files and back: of a model in this process, or of all ranks of a job, each of which calls the same in the same order.</summary>
internal interface IRunStore : IDisposable
{
    /// <summary>Whether this process writes what is there once for all ranks: the run file, its measurements.</summary>
    bool IsWriter { get; }

    /// <summary>Copies weights, moments, biases and averages as they are between two steps.</summary>
    void Take();

    /// <summary>Writes what was taken; may run beside the steps that follow.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="tokenizerFiles">Files copied into the model.</param>
    /// <exception cref="CheckpointException">It cannot be written; nothing is left behind.</exception>
    void Write(string folder, TrainingState state, IReadOnlyList<string> tokenizerFiles);

    /// <summary>Deletes all but the newest checkpoints.</summary>
    void Prune(string checkpoints, int keep);

    /// <summary>The newest sound checkpoint, the same for all ranks; null if there is none.</summary>
    /// <exception cref="CheckpointException">All are damaged.</exception>
    string? FindNewest(string checkpoints, Action<string>? warn);

    /// <summary>Takes up a checkpoint.</summary>
    /// <exception cref="CheckpointException">A file is damaged, or belongs to another model.</exception>
    void Load(string checkpoint);

    /// <summary>Takes up the weights of a model that somebody trained.</summary>
    /// <exception cref="CheckpointException">It cannot be read or does not fit.</exception>
    void LoadStart(string folder, Action<string>? warn);

    /// <summary>Writes the model as it is now, or the average of its weights.</summary>
    /// <exception cref="CheckpointException">It cannot be written; what was there is untouched.</exception>
    void SaveModel(string folder, CheckpointOptions options, bool average);
}
