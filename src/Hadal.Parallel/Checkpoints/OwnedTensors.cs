using Hadal.Numerics;
using Hadal.Parallel.Training;
using Hadal.Training.Checkpoints;
using Hadal.Training.Parameters;

namespace Hadal.Parallel.Checkpoints;

/// <summary>The tensors that one rank writes of a checkpoint, as they were between two steps: of those with copies on several ranks, each rank writes its turn.</summary>
internal sealed class OwnedTensors
{
    private readonly ParallelEngine _engine;
    private readonly IBackend _backend;
    private readonly WeightAverage? _averaged;
    private readonly Dictionary<string, float[]> _weights = [];
    private readonly Dictionary<string, (Shape Shape, float[] Values)> _moments = [], _averages = [];

    public OwnedTensors(ParallelEngine engine, IBackend backend, WeightAverage? averaged)
    {
        (_engine, _backend, _averaged) = (engine, backend, averaged);
        var weights = engine.Model.Sets.SelectMany(s => Turn(s.Parameters.Named, s.Copies.Rank, s.Copies.Size)).Select(p => p.Name);

        // In the order of the layers, which is the same on the mirrored rank.
        var biases = Turn(engine.BiasedLayers.Select(l => l.BiasName).Order(StringComparer.Ordinal), engine.Groups.Copies.Rank, engine.Groups.Copies.Size);
        Names = weights.Concat(biases).ToHashSet();
    }

    /// <summary>Names of the weights and router biases that this rank writes.</summary>
    public IReadOnlySet<string> Names { get; }

    /// <summary>AdamW's moments of its weights.</summary>
    public IReadOnlyDictionary<string, (Shape Shape, float[] Values)> Moments => _moments;

    /// <summary>The averages of its weights and biases; none without an average.</summary>
    public IReadOnlyDictionary<string, (Shape Shape, float[] Values)> Averages => _averages;

    /// <summary>Weights and biases.</summary>
    public IReadOnlyDictionary<string, float[]> Weights => _weights;

    /// <summary>Copies weights, biases and averages as they are now.</summary>
    public void TakeWeights()
    {
        foreach (var (name, value) in _engine.Named.Where(p => Names.Contains(p.Name)))
        {
            float[] values = Room(_weights, name, value.Weight.Count);
            _backend.Read(value.Weight, values);
        }

        foreach (var layer in _engine.BiasedLayers.Where(l => Names.Contains(l.BiasName))) layer.Bias.CopyTo(Room(_weights, layer.BiasName, layer.Bias.Length));
        if (_averaged is null) return;
        _averaged.Wait();
        foreach (var (name, shape) in _averaged.Tensors.Where(t => Names.Contains(t.Name)))
        {
            if (!_averages.ContainsKey(name)) _averages.Add(name, (shape, new float[shape.Count]));
            _averaged[name].CopyTo(_averages[name].Values, 0);
        }
    }

    /// <summary>Copies moments as they are now. Called by all ranks together, since they are shared out among those with copies.</summary>
    public void TakeMoments()
    {
        foreach (var set in _engine.Model.Sets.Where(s => s.Parameters.Count > 0))
        {
            var type = set.Moments.First.Type;
            using var storage = _backend.CreateStorage(set.Parameters.Count * type.SizeOf());
            var whole = storage.View(0, type, new Shape(set.Parameters.Count));
            foreach (bool second in new[] { false, true })
            {
                set.GatherMoments(second, whole);
                foreach (var (name, value) in set.Parameters.Named.Where(p => Names.Contains(p.Name)))
                {
                    long first = set.Parameters.OffsetOf(value);
                    string key = TrainingCheckpoint.MomentName(name, second);
                    if (!_moments.ContainsKey(key)) _moments.Add(key, (value.Weight.Shape, new float[value.Weight.Count]));
                    _backend.Read(whole.ElementRange(first, value.Weight.Count), _moments[key].Values);
                }
            }
        }
    }

    /// <summary>Fills the moments of this rank's parts.</summary>
    public static void LoadMoments(ParallelEngine engine, IBackend backend, TensorFiles files)
    {
        foreach (var set in engine.Model.Sets.Where(s => s.Parameters.Count > 0))
        {
            var type = set.Moments.First.Type;
            using var storage = backend.CreateStorage(set.Parameters.Count * type.SizeOf());
            var whole = storage.View(0, type, new Shape(set.Parameters.Count));
            foreach (bool second in new[] { false, true })
            {
                foreach (var (name, value) in set.Parameters.Named)
                {
                    // Only what lies in this rank's part, if only with one end.
                    long first = set.Parameters.OffsetOf(value);
                    if (!set.PartOverlaps(first, value.Weight.Count)) continue;
                    var values = new float[value.Weight.Count];
                    files.Read(TrainingCheckpoint.MomentName(name, second), values);
                    backend.Write(values, whole.ElementRange(first, values.Length));
                }

                set.SetMoments(second, whole);
            }
        }
    }

    private static IEnumerable<T> Turn<T>(IEnumerable<T> all, int rank, int ranks) => all.Where((_, i) => i % ranks == rank);

    private static float[] Room(Dictionary<string, float[]> values, string name, long count)
    {
        if (!values.TryGetValue(name, out float[]? room)) values.Add(name, room = new float[count]);
        return room;
    }
}
