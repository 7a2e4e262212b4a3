using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;

namespace Hadal.Inference.Tests;

/// <summary>A small model whose rows are wide enough for blocks of 256, as GGUF files of every kind; each is written when it is first asked for.</summary>
public sealed class BlockModel : IDisposable
{
    private readonly string _temporary = Directory.CreateTempSubdirectory("hadal-blocks-").FullName;
    private readonly TinyModel _model = TinyModel.Random(Config);

    /// <summary>With eight experts the mixture Q4_K_M has Q4_K, Q5_K, Q6_K, and Q5_0 for the narrow rows of the key-value up-projection.</summary>
    public static ModelConfig Config { get; } = TinyModel.Config with
    {
        HiddenSize = 256,
        MtpLayers = 0,
        Heads = 2,
        QueryLatentRank = 256,
        LatentRank = 64,
        NopeWidth = 32,
        RopeWidth = 16,
        ValueWidth = 128,
        DenseWidth = 256,
        ExpertWidth = 256,
        RoutedExperts = 8,
    };

    /// <summary>The model's folder, FP32.</summary>
    public string Folder => _model.Folder;

    /// <summary>The model as a GGUF file.</summary>
    public string Gguf(GgufWeights weights)
    {
        string path = Path.Combine(_temporary, weights + ".gguf");
        if (File.Exists(path)) return path;
        using var source = Checkpoint.Open(Folder);
        ModelConversion.ToGguf(source, path, weights, cancellation: TestContext.Current.CancellationToken);
        return path;
    }

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_temporary, true);
    }
}
