using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Model;
using Hadal.Training.Parameters;

namespace Hadal.Training.Checkpoints;

/// <summary>Weights, moments and router biases as they were between two steps, in host memory, to be written while the run goes on.</summary>
/// <remarks>The memory (12 bytes a parameter, 16 with an average of the weights) is made once and used again for every checkpoint.</remarks>
internal sealed class TrainingSnapshot
{
    private readonly Dictionary<string, float[]> _weights = [];
    private readonly Dictionary<string, (Shape Shape, float[] Values)> _moments = [], _average = [];
    private readonly WeightAverage? _source;

    /// <summary>Makes the memory.</summary>
    public TrainingSnapshot(TrainingModel model, WeightAverage? average)
    {
        _source = average;
        foreach (var (name, shape) in average?.Tensors ?? []) _average.Add(name, (shape, new float[shape.Count]));
        foreach (var (name, value) in model.Parameters.Named) _weights.Add(name, new float[value.Weight.Count]);
        foreach (var experts in model.BiasedLayers) _weights.Add(experts.BiasName, new float[experts.Bias.Length]);
        foreach (var (name, values) in TrainingCheckpoint.Moments(model)) _moments.Add(name, (values.Shape, new float[values.Count]));
        Config = model.Config;
    }

    public Hadal.Model.Configuration.ModelConfig Config { get; }

    /// <summary>The moments: what <c>optimizer.safetensors</c> holds.</summary>
    public IEnumerable<SafetensorsEntry> Moments => _moments.Select(m => new SafetensorsEntry(m.Key, DType.F32, m.Value.Shape));

    /// <summary>The average of the weights: what <c>ema.safetensors</c> holds; none without one.</summary>
    public IEnumerable<SafetensorsEntry> Averages => _average.Select(m => new SafetensorsEntry(m.Key, DType.F32, m.Value.Shape));

    /// <summary>Copies what the model holds now.</summary>
    public void Take(TrainingModel model, IBackend backend)
    {
        foreach (var (name, value) in model.Parameters.Named) backend.Read(value.Weight, _weights[name]);
        foreach (var experts in model.BiasedLayers) experts.Bias.CopyTo(_weights[experts.BiasName]);
        foreach (var (name, values) in TrainingCheckpoint.Moments(model)) backend.Read(values, _moments[name].Values);
        _source?.Wait();
        foreach (var (name, (_, values)) in _average) _source![name].CopyTo(values, 0);
    }

    /// <summary>Rows of a weight; a vector is one row.</summary>
    public void Read(TensorSpec tensor, long firstRow, int rows, Span<float> destination)
    {
        int columns = destination.Length / rows;
        _weights[tensor.Name].AsSpan(checked((int)(firstRow * columns)), destination.Length).CopyTo(destination);
    }

    /// <summary>All values of an average.</summary>
    public ReadOnlySpan<float> Average(string name) => _average[name].Values;

    /// <summary>All values of a moment.</summary>
    public ReadOnlySpan<float> Moment(string name) => _moments[name].Values;
}
