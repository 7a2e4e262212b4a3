using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Tests;

/// <summary>A small checkpoint in a temporary folder.</summary>
public sealed class TinyModel : IDisposable
{
    private readonly string _temporary = Directory.CreateTempSubdirectory("hadal-tiny-").FullName;

    private TinyModel(ModelConfig config, Func<TensorSpec, float[]> values)
    {
        Folder = Path.Combine(_temporary, "model");
        var all = new Dictionary<string, float[]>();
        CheckpointWriter.Write(
            Folder,
            config,
            (spec, row, rows, to) =>
            {
                if (!all.TryGetValue(spec.Name, out var tensor)) all[spec.Name] = tensor = values(spec);
                tensor.AsSpan((int)(row * spec.Shape.Columns), (int)(rows * spec.Shape.Columns)).CopyTo(to);
            },
            new CheckpointOptions { Type = DType.F32 });
    }

    public string Folder { get; }

    public static ModelConfig Config { get; } = new()
    {
        VocabularySize = 272,
        HiddenSize = 64,
        Layers = 2,
        MtpLayers = 1,
        Heads = 2,
        QueryLatentRank = 24,
        LatentRank = 16,
        NopeWidth = 8,
        RopeWidth = 4,
        ValueWidth = 8,
        DenseWidth = 48,
        ExpertWidth = 16,
        RoutedExperts = 4,
        SharedExperts = 1,
        ExpertsPerToken = 2,
        DenseLayers = 1,
        Groups = 2,
        KeptGroups = 1,
        MaxPositions = 200,
        WeightType = DType.F32,
        BeginToken = 0,
        EndTokens = [1],
    };

    /// <summary>Normal weights of deviation 0.3 (norms around 1).</summary>
    public static TinyModel Random(ModelConfig? config = null, int seed = 1) => new(config ?? Config, spec => RandomValues(spec, seed));

    /// <summary>Values given per tensor; null for random ones.</summary>
    public static TinyModel Of(ModelConfig config, Func<TensorSpec, float[]?> values) => new(config, spec => values(spec) ?? RandomValues(spec, 1));

    /// <summary>
    /// A model that says the id behind the last token's: its layers add nothing, embeddings are unit vectors, and the head's row of an id is the embedding of
    /// the id before. The MTP module ignores the hidden state and passes the embedding on, so its drafts are right; or it knows nothing.
    /// </summary>
    public static TinyModel Successor(bool goodDrafts = true, int mtpLayers = 1)
    {
        var config = Config with { MtpLayers = mtpLayers };
        int d = config.HiddenSize, v = config.VocabularySize;
        float[] embedding = RandomValues(new TensorCatalog(config).Get(TensorRole.Embedding), 1);
        for (int i = 0; i < v; i++)
        {
            var row = embedding.AsSpan(i * d, d);
            float length = MathF.Sqrt(row.ToArray().Sum(x => x * x));
            for (int c = 0; c < d; c++) row[c] /= length;
        }

        return new TinyModel(config, spec => spec.Role switch
        {
            TensorRole.Embedding => embedding,
            TensorRole.Head => [.. Enumerable.Range(0, v).SelectMany(i => embedding.AsSpan((i + v - 1) % v * d, d).ToArray())],
            TensorRole.AttentionOutput or TensorRole.DenseDown or TensorRole.ExpertDown or TensorRole.SharedDown => new float[spec.Count],
            TensorRole.MtpProjection => Projection(d, goodDrafts),
            _ when spec.Shape.Rank == 1 => [.. Enumerable.Repeat(1f, (int)spec.Count)],
            _ => RandomValues(spec, 1),
        });
    }

    public InferenceModel Load(IBackend backend) => InferenceModel.Load(Folder, backend);

    public void Dispose() => Directory.Delete(_temporary, true);

    public static float[] RandomValues(TensorSpec spec, int seed)
    {
        int hash = seed;
        foreach (char c in spec.Name) hash = unchecked(hash * 31 + c);
        var random = new Random(hash);
        var values = new float[spec.Count];
        for (int i = 0; i < values.Length; i++)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            values[i] = (float)(spec.Shape.Rank == 1 && spec.Role != TensorRole.RouterBias ? 1 + 0.1 * normal : 0.3 * normal);
        }

        return values;
    }

    private static float[] Projection(int d, bool passOn)
    {
        var values = new float[d * 2 * d];
        for (int i = 0; passOn && i < d; i++) values[i * 2 * d + i] = 1;
        return values;
    }
}
