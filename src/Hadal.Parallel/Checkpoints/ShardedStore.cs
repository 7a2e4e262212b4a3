using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Training;
using Hadal.Training.Checkpoints;
using Hadal.Training.Parameters;

namespace Hadal.Parallel.Checkpoints;

/// <summary>Files of a run over several ranks: each writes the tensors that it has in turn with those that have them too, and reads what it needs by name. So any layout, one rank included, goes on from any other's.</summary>
/// <remarks>All ranks see the same folder. Moving weights between ranks goes by a group and a backend of its own, since checkpoints are written beside the steps.</remarks>
internal sealed class ShardedStore : IRunStore
{
    private readonly ParallelEngine _engine;
    private readonly IBackend _backend;
    private readonly CpuBackend _writerBackend = new(1);
    private readonly ICollective _ranks;
    private readonly WritingTogether _together;
    private readonly WeightAverage? _average;
    private readonly OwnedTensors _own;

    /// <summary>Made by all ranks together.</summary>
    /// <param name="engine">What is kept.</param>
    /// <param name="backend">Where it is.</param>
    /// <param name="average">The average of the weights of this rank, if there is one.</param>
    public ShardedStore(ParallelEngine engine, IBackend backend, WeightAverage? average)
    {
        (_engine, _backend, _average) = (engine, backend, average);
        _ranks = engine.Groups.World.Split(0, engine.Groups.World.Rank);
        _together = new WritingTogether(_ranks, _writerBackend);
        _own = new OwnedTensors(engine, backend, average);
    }

    public bool IsWriter => _ranks.Rank == 0;

    public void Take()
    {
        _own.TakeWeights();
        _own.TakeMoments();
    }

    public void Write(string folder, TrainingState state, IReadOnlyList<string> tokenizerFiles)
    {
        var options = new CheckpointOptions { Type = DType.F32, CopiedFiles = tokenizerFiles, MtpCopies = false };
        _together.Run(
            folder,
            fill => AtomicFolder.Write(folder, temporary =>
            {
                string model = Path.Combine(temporary, TrainingCheckpoint.ModelFolder);
                Directory.CreateDirectory(model);
                fill(temporary);
                CheckpointWriter.Join(model, _engine.Config, options);
                TrainingCheckpoint.Complete(temporary, state);
            }),
            temporary =>
            {
                CheckpointWriter.WritePart(Path.Combine(temporary, TrainingCheckpoint.ModelFolder), Part, _engine.Config, ReadTaken, options, _own.Names.Contains);
                WriteTensors(temporary, TrainingCheckpoint.OptimizerFile, _own.Moments);
                WriteTensors(temporary, TrainingCheckpoint.AverageFile, _own.Averages);
            });
    }

    public void Prune(string checkpoints, int keep)
    {
        if (IsWriter) TrainingCheckpoint.Prune(checkpoints, keep);
    }

    public string? FindNewest(string checkpoints, Action<string>? warn)
    {
        string? newest = null;
        CheckpointException? problem = null;
        try
        {
            if (IsWriter) newest = TrainingCheckpoint.FindNewest(checkpoints, warn);
        }
        catch (CheckpointException e)
        {
            problem = e;
        }

        newest = _together.Tell(newest ?? "");
        string complaint = _together.Tell(problem?.Message ?? "");
        if (complaint.Length > 0) throw problem ?? new CheckpointException(checkpoints, null, complaint);
        return newest.Length == 0 ? null : newest;
    }

    public void Load(string checkpoint)
    {
        _average?.Wait();
        using (var model = Checkpoint.Open(Path.Combine(checkpoint, TrainingCheckpoint.ModelFolder))) ModelWeights.Load(_engine, _backend, model);
        using (var files = TensorFiles.Open(checkpoint, TrainingCheckpoint.OptimizerFile)) OwnedTensors.LoadMoments(_engine, _backend, files);
        if (_average is not null) TrainingCheckpoint.LoadAverage(checkpoint, _average);
        _engine.MergeBiases();
    }

    public void LoadStart(string folder, Action<string>? warn)
    {
        StartingWeights.Load(_engine, _backend, folder, IsWriter ? warn : null);
        _engine.MergeBiases();
    }

    public void SaveModel(string folder, CheckpointOptions options, bool average)
    {
        _own.TakeWeights();
        _together.Run(
            folder,
            fill => CheckpointWriter.WriteTogether(folder, _engine.Config, options, fill),
            temporary => CheckpointWriter.WritePart(temporary, Part, _engine.Config, average ? ReadAverage : ReadTaken, options, _own.Names.Contains));
    }

    public void Dispose()
    {
        _ranks.Dispose();
        _writerBackend.Dispose();
    }

    private string Part => _ranks.Rank.ToString("D7", System.Globalization.CultureInfo.InvariantCulture);

    private void WriteTensors(string folder, string name, IReadOnlyDictionary<string, (Shape Shape, float[] Values)> tensors)
    {
        if (tensors.Count == 0) return;
        SafetensorsWriter.Write(
            TensorFiles.PathOf(folder, name, _ranks.Rank), tensors.Select(t => new SafetensorsEntry(t.Key, DType.F32, t.Value.Shape)),
            (entry, stream) => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensors[entry.Name].Values.AsSpan())));
    }

    private void ReadTaken(TensorSpec tensor, long firstRow, int rows, Span<float> destination) => Copy(_own.Weights[tensor.Name], firstRow, rows, destination);

    private void ReadAverage(TensorSpec tensor, long firstRow, int rows, Span<float> destination) => Copy(_own.Averages[tensor.Name].Values, firstRow, rows, destination);

    private static void Copy(float[] values, long firstRow, int rows, Span<float> destination) =>
        values.AsSpan(checked((int)(firstRow * (destination.Length / rows))), destination.Length).CopyTo(destination);
}
