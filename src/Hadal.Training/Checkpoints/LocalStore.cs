using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Model;
using Hadal.Training.Parameters;

namespace Hadal.Training.Checkpoints;

/// <summary>Files of a run whose model is in this process.</summary>
/// <param name="model">What is kept.</param>
/// <param name="backend">Where it is.</param>
/// <param name="averaged">The average of the weights, if there is one.</param>
internal sealed class LocalStore(TrainingModel model, IBackend backend, WeightAverage? averaged) : IRunStore
{
    private TrainingSnapshot? _snapshot;

    public bool IsWriter => true;

    public void Take()
    {
        _snapshot ??= new TrainingSnapshot(model, averaged);
        _snapshot.Take(model, backend);
    }

    public void Write(string folder, TrainingState state, IReadOnlyList<string> tokenizerFiles) => TrainingCheckpoint.Save(folder, _snapshot!, state, tokenizerFiles);

    public void Prune(string checkpoints, int keep) => TrainingCheckpoint.Prune(checkpoints, keep);

    public string? FindNewest(string checkpoints, Action<string>? warn) => TrainingCheckpoint.FindNewest(checkpoints, warn);

    public void Load(string checkpoint) => TrainingCheckpoint.Load(checkpoint, model, backend, averaged);

    public void LoadStart(string folder, Action<string>? warn) => StartingWeights.Load(model, backend, folder, warn);

    public void SaveModel(string folder, CheckpointOptions options, bool average)
    {
        if (average) ModelWeights.Save(averaged!, model.Config, folder, options);
        else ModelWeights.Save(model, backend, folder, options, CancellationToken.None);
    }

    public void Dispose()
    {
    }
}
