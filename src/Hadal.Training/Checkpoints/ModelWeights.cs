using System.Buffers;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Experts;
using Hadal.Training.Model;
using Hadal.Training.Parameters;

namespace Hadal.Training.Checkpoints;

/// <summary>Weights of a model in training, out of and into Hugging Face folders.</summary>
internal static class ModelWeights
{
    private const int BufferElements = 1 << 18;

    /// <summary>Fills parameters and router biases from a checkpoint.</summary>
    /// <param name="model">Receives them.</param>
    /// <param name="backend">Where the model is.</param>
    /// <param name="checkpoint">Has them.</param>
    /// <param name="leftOut">Names that stay as they are.</param>
    /// <exception cref="CheckpointException">A tensor is missing or has another shape.</exception>
    public static void Load(IModelWeights model, IBackend backend, Checkpoint checkpoint, IReadOnlySet<string>? leftOut = null)
    {
        float[] buffer = ArrayPool<float>.Shared.Rent(BufferElements);
        foreach (var (name, value) in model.Named)
        {
            if (leftOut?.Contains(name) == true) continue;
            var weight = value.Weight;
            if (checkpoint.Get(name).Shape != weight.Shape)
                throw new CheckpointException(checkpoint.Folder, name, $"tensor {name} is {checkpoint.Get(name).Shape}, but the model has {weight.Shape} there");
            ForRows(weight, buffer, (first, count, part) =>
            {
                checkpoint.ReadRows(name, first, count, part);
                backend.Write(part, Rows(weight, first, count));
            });
        }

        foreach (var experts in model.BiasedLayers)
        {
            if (leftOut?.Contains(experts.BiasName) == true) continue;
            checkpoint.ReadSingle(experts.BiasName, experts.Bias);
            experts.WriteBias(backend);
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>Writes a Hugging Face folder, atomically.</summary>
    /// <exception cref="CheckpointException">The folder cannot be written; what was there is untouched.</exception>
    public static void Save(TrainingModel model, IBackend backend, string folder, CheckpointOptions options, CancellationToken cancellation = default)
    {
        var biases = model.BiasedLayers.ToDictionary(e => e.BiasName);
        CheckpointWriter.Write(
            folder, model.Config,
            (tensor, first, count, destination) =>
            {
                if (biases.TryGetValue(tensor.Name, out MixtureOfExperts? experts)) experts.Bias.CopyTo(destination);
                else if (model.Parameters.TryFind(tensor.Name, out var parameter)) backend.Read(Rows(parameter.Weight, first, count), destination);
                else throw new InvalidOperationException($"The model in training has no {tensor.Name}.");
            },
            options, cancellation);
    }

    /// <summary>Writes a Hugging Face folder with averaged weights, atomically.</summary>
    /// <exception cref="CheckpointException">The folder cannot be written; what was there is untouched.</exception>
    public static void Save(WeightAverage average, ModelConfig config, string folder, CheckpointOptions options)
    {
        average.Wait();
        CheckpointWriter.Write(
            folder, config, (tensor, first, count, destination) => average[tensor.Name].AsSpan((int)(first * (destination.Length / count)), destination.Length).CopyTo(destination), options);
    }

    private static void ForRows(Tensor tensor, float[] buffer, RowAction action)
    {
        long rows = tensor.Shape.Rows, columns = tensor.Shape.Columns;
        if (columns > buffer.Length) buffer = new float[columns];
        int step = (int)Math.Max(1, buffer.Length / columns);
        for (long first = 0; first < rows; first += step)
        {
            int count = (int)Math.Min(step, rows - first);
            action(first, count, buffer.AsSpan(0, (int)(count * columns)));
        }
    }

    // A vector is one row, as in checkpoints.
    private static Tensor Rows(Tensor tensor, long first, int count) => tensor.RowRange(first, count);

    private delegate void RowAction(long first, int count, Span<float> part);
}
