using System.Text.Json;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Batches;
using Hadal.Training.Checkpoints;
using Hadal.Training.Model;

namespace Hadal.Golden.Tests.Training;

/// <summary>One of the reference training runs: its model, its data, and what the other implementation found.</summary>
internal sealed class TrainingGolden : IDisposable
{
    public const int Sequences = 2, Length = 48;
    private readonly GoldenTensors _tensors;
    private readonly int[] _tokens, _documents;
    private readonly string[] _names;

    public TrainingGolden(string run, string weights, string variant, int threads = 2, IReadOnlyList<RecomputeRule>? recompute = null)
    {
        string folder = GoldenData.Folder(run);
        Variant = variant;
        Json = GoldenData.Json(run, "train_golden.json");
        _tensors = GoldenData.Tensors(run, "train_golden.safetensors");
        _tokens = Array.ConvertAll(_tensors.I64("tokens"), t => (int)t);
        _documents = Array.ConvertAll(_tensors.I64("doc_ids"), d => (int)d);
        _names = [.. Json.GetProperty("parameter_names").EnumerateArray().Select(n => n.GetString()!)];
        Backend = new CpuBackend(threads);
        Config = ModelConfig.Load(folder);
        Model = new TrainingModel(Backend, Config, Length, new TrainingOptions { Recompute = recompute ?? [] });
        using var checkpoint = Checkpoint.Open(GoldenData.Folder(weights));
        ModelWeights.Load(Model, Backend, checkpoint);
    }

    public string Variant { get; }

    public JsonElement Json { get; }

    public CpuBackend Backend { get; }

    public ModelConfig Config { get; }

    public TrainingModel Model { get; }

    public IReadOnlyList<string> Names => _names;

    public JsonElement Step(int step) => Json.GetProperty("variants").GetProperty(Variant).GetProperty("steps")[step];

    public PackedBatch Batch(int step)
    {
        var batch = new PackedBatch(Sequences, Length);
        if (Variant == "masked") _documents.CopyTo(batch.WithDocuments().Documents);
        _tokens.AsSpan(step * Sequences * (Length + 1), Sequences * (Length + 1)).CopyTo(batch.Tokens);
        return batch;
    }

    public BatchLosses Run(int step, float mtpWeight = 0.3f, float balanceWeight = 1e-4f)
    {
        var batch = Batch(step);
        var losses = Model.CreateLosses();
        Model.ForwardBackward(batch, new LossScales(batch.CountedLabels, Sequences, mtpWeight, balanceWeight), losses);
        return losses;
    }

    /// <summary>The same batch, a sequence at a time.</summary>
    public BatchLosses RunInMicroBatches(int step, float mtpWeight = 0.3f, float balanceWeight = 1e-4f)
    {
        var batch = Batch(step);
        var losses = Model.CreateLosses();
        var scales = new LossScales(batch.CountedLabels, Sequences, mtpWeight, balanceWeight);
        for (int b = 0; b < Sequences; b++)
        {
            var part = new PackedBatch(1, Length);
            batch.Tokens.Slice(b * (Length + 1), Length + 1).CopyTo(part.Tokens);
            if (!batch.Documents.IsEmpty) batch.Documents.Slice(b * (Length + 1), Length + 1).CopyTo(part.WithDocuments().Documents);
            Model.ForwardBackward(part, scales, losses);
        }

        return losses;
    }

    public float[] Read(string name) => _tensors.F32(name);

    public bool Has(string name) => _tensors.Has(name);

    public float[] Gradient(string name) => Values(name, gradient: true);

    public float[] Weight(string name) => Values(name, gradient: false);

    /// <summary>Samples of a tensor as the digests have them: floor(j·size / m), j below m = min(S, size).</summary>
    public static IEnumerable<(int Sample, int Element)> DigestPlaces(int size, int samples)
    {
        int m = Math.Min(samples, size);
        for (int j = 0; j < m; j++) yield return (j, (int)((long)j * size / m));
    }

    public void Dispose()
    {
        Model.Dispose();
        Backend.Dispose();
    }

    private float[] Values(string name, bool gradient)
    {
        Assert.True(Model.Parameters.TryFind(name, out var parameter), $"the model has no {name}");
        var values = new float[parameter.Weight.Count];
        Backend.Read(gradient ? parameter.Gradient : parameter.Weight, values);
        return values;
    }
}
