using System.Numerics;
using Hadal.Numerics;

namespace Hadal.Training.Parameters;

/// <summary>An exponential moving average of the weights and router biases in host memory, updated beside the next step (report section 3.2.3).</summary>
/// <remarks>
/// Behind every step that was taken: a += (1 - decay)·(w - a), in FP32; a begins as the weights before the first step. Weights change in the optimizer's part of
/// a step only, so the forward and backward of the next step do not disturb the update, and <see cref="Wait"/> comes before the optimizer. The thread reads
/// weights through <see cref="IBackend.Read(Tensor, Span{float})"/>, which on the CPU is a copy that no other work waits for.
/// </remarks>
internal sealed class WeightAverage(IModelWeights model, IBackend backend, double decay)
{
    private const int PartElements = 1 << 16;
    private readonly Dictionary<string, float[]> _values = TensorsOf(model).ToDictionary(t => t.Name, t => new float[t.Shape.Count]);
    private readonly float[] _part = new float[PartElements];
    private readonly float _share = (float)(1 - decay);
    private Task? _work;
    private bool _hasBegun;

    /// <summary>Everything that is averaged: names and shapes of a checkpoint.</summary>
    public IEnumerable<(string Name, Shape Shape)> Tensors => TensorsOf(model);

    /// <summary>The average of a tensor; <see cref="Wait"/> first. Whoever writes to it calls <see cref="Restore"/> afterwards.</summary>
    public float[] this[string name] => _values[name];

    /// <summary>Takes the weights as they are, unless there is an average already: called before the first step of a sitting.</summary>
    public void Start()
    {
        if (_hasBegun) return;
        Pass(1);
        _hasBegun = true;
    }

    /// <summary>Says that the values are those of a checkpoint.</summary>
    public void Restore() => _hasBegun = true;

    /// <summary>Begins to take in the weights of a step; they must not change before <see cref="Wait"/> returns.</summary>
    public void Begin()
    {
        Wait();
        _work = Task.Factory.StartNew(() => Pass(_share), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Waits until the update that was begun is done.</summary>
    public void Wait()
    {
        var work = _work;
        _work = null;
        work?.GetAwaiter().GetResult();
    }

    private void Pass(float share)
    {
        foreach (var (name, value) in model.Named)
        {
            float[] average = _values[name];
            var column = value.Weight.Reshape(new Shape(average.Length, 1));
            for (int first = 0; first < average.Length; first += PartElements)
            {
                int count = Math.Min(PartElements, average.Length - first);
                var part = _part.AsSpan(0, count);
                backend.Read(column.RowRange(first, count).Reshape(new Shape(count)), part);
                Move(average.AsSpan(first, count), part, share);
            }
        }

        foreach (var experts in model.BiasedLayers) Move(_values[experts.BiasName], experts.Bias, share);
    }

    // Multiplied and added with two roundings, in lanes as in the rest.
    private static void Move(Span<float> average, ReadOnlySpan<float> weights, float share)
    {
        if (share == 1)
        {
            weights.CopyTo(average);
            return;
        }

        int i = 0;
        for (var factor = new Vector<float>(share); i <= average.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var a = new Vector<float>(average[i..]);
            (a + factor * (new Vector<float>(weights[i..]) - a)).CopyTo(average[i..]);
        }

        for (; i < average.Length; i++) average[i] += share * (weights[i] - average[i]);
    }

    private static IEnumerable<(string Name, Shape Shape)> TensorsOf(IModelWeights model) =>
        model.Named.Select(p => (p.Name, p.Value.Weight.Shape)).Concat(model.BiasedLayers.Select(e => (e.BiasName, new Shape(e.Bias.Length))));
}
