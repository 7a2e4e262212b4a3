using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>A GGUF file seen as a model: its configuration, and its tensors under their Hugging Face names.</summary>
internal sealed class GgufModel : IDisposable
{
    private readonly GgufSet _set;
    private readonly TensorCatalog _catalog;

    private GgufModel(GgufSet set)
    {
        (_set, Config) = (set, GgufConfig.Read(set));
        _catalog = new TensorCatalog(Config);
    }

    public ModelConfig Config { get; }

    public GgufMetadata Metadata => _set.Metadata;

    /// <exception cref="CheckpointException">A file is missing or malformed, or holds another architecture.</exception>
    /// <exception cref="ConfigException">The metadata contradict themselves.</exception>
    public static GgufModel Open(string path)
    {
        var set = GgufSet.Open(path);
        try
        {
            return new GgufModel(set);
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    public void Dispose() => _set.Dispose();

    /// <summary>The tensors as they stand in the file.</summary>
    public IEnumerable<StoredTensor> StoredTensors() => _set.Tensors.Select(t => new GgufRows(t.File, t.Tensor, t.Tensor.Name, 0, t.Tensor.Shape));

    /// <summary>The tensors under their Hugging Face names, each compared with the metadata before anything is made of it.</summary>
    /// <exception cref="CheckpointException">One is missing, or has another shape or a type that is no floating-point type.</exception>
    public IEnumerable<(string Name, StoredTensor Tensor)> HuggingFaceTensors()
    {
        yield return Plain(TensorRole.Embedding);
        yield return Plain(TensorRole.FinalNorm);
        // Models that share embedding and head have one tensor for both.
        string head = _set.Find(GgufNames.Head) is null ? GgufNames.Embedding : GgufNames.Head;
        yield return Whole(_catalog.Get(TensorRole.Head), head);
        for (int layer = 0; layer < Config.Layers; layer++)
        {
            foreach (var tensor in Layer(layer)) yield return tensor;
        }

        for (int layer = Config.Layers; layer < Config.Layers + Config.MtpLayers; layer++)
        {
            // Metadata may announce MTP layers that were taken out of the file.
            if (_set.Find(GgufNames.Of(TensorRole.MtpProjection, layer)) is null) break;
            foreach (var tensor in Layer(layer).Concat(Mtp(layer))) yield return tensor;
        }
    }

    private IEnumerable<(string Name, StoredTensor Tensor)> Layer(int layer)
    {
        yield return Plain(TensorRole.AttentionNorm, layer);
        if (Config.HasQueryLatent)
        {
            yield return Plain(TensorRole.QueryDown, layer);
            yield return Plain(TensorRole.QueryLatentNorm, layer);
            yield return Plain(TensorRole.QueryUp, layer);
        }
        else
        {
            yield return Plain(TensorRole.Query, layer);
        }

        yield return Plain(TensorRole.LatentDown, layer);
        yield return Plain(TensorRole.LatentNorm, layer);
        yield return LatentUp(layer);
        yield return Plain(TensorRole.AttentionOutput, layer);
        yield return Plain(TensorRole.MlpNorm, layer);
        if (!Config.IsMixtureOfExperts(layer))
        {
            yield return Plain(TensorRole.DenseGate, layer);
            yield return Plain(TensorRole.DenseUp, layer);
            yield return Plain(TensorRole.DenseDown, layer);
            yield break;
        }

        yield return Plain(TensorRole.Router, layer);
        if (Config.Router.HasBias) yield return Bias(layer);
        foreach (var tensor in Experts(layer)) yield return tensor;
        if (Config.SharedExperts == 0) yield break;
        yield return Plain(TensorRole.SharedGate, layer);
        yield return Plain(TensorRole.SharedUp, layer);
        yield return Plain(TensorRole.SharedDown, layer);
    }

    private IEnumerable<(string Name, StoredTensor Tensor)> Mtp(int layer)
    {
        yield return Plain(TensorRole.MtpProjection, layer);
        yield return Plain(TensorRole.MtpEmbeddingNorm, layer);
        yield return Plain(TensorRole.MtpHiddenNorm, layer);
        string norm = GgufNames.Of(TensorRole.MtpFinalNorm, layer);
        yield return Whole(_catalog.Get(TensorRole.MtpFinalNorm, layer), _set.Find(norm) is null ? GgufNames.FinalNorm : norm);
        foreach (var role in (TensorRole[])[TensorRole.MtpEmbeddingCopy, TensorRole.MtpHeadCopy])
        {
            if (_set.Find(GgufNames.Of(role, layer)) is not null) yield return Plain(role, layer);
        }
    }

    // The shapes of the stacks are compared first: only they show that the count of experts is no invention of the metadata.
    private IEnumerable<(string Name, StoredTensor Tensor)> Experts(int layer)
    {
        int experts = Config.RoutedExperts, width = Config.ExpertWidth, hidden = Config.HiddenSize;
        var rows = new Shape(width, hidden);
        var down = Find(GgufNames.Of(TensorRole.ExpertDown, layer), new Shape(experts, hidden, width));
        bool fused = _set.Find(GgufNames.GateAndUp(layer)) is not null;
        var stack = new Shape(experts, width, hidden);
        var gate = fused ? Find(GgufNames.GateAndUp(layer), new Shape(experts, 2L * width, hidden)) : Find(GgufNames.Of(TensorRole.ExpertGate, layer), stack);
        var up = fused ? gate : Find(GgufNames.Of(TensorRole.ExpertUp, layer), stack);
        int step = fused ? 2 * width : width, shift = fused ? width : 0;
        for (int e = 0; e < experts; e++)
        {
            yield return Slice(TensorRole.ExpertGate, gate, (long)e * step, rows, e);
            yield return Slice(TensorRole.ExpertUp, up, (long)e * step + shift, rows, e);
            yield return Slice(TensorRole.ExpertDown, down, (long)e * hidden, new Shape(hidden, width), e);
        }

        (string, StoredTensor) Slice(TensorRole role, (GgufFile File, GgufTensor Tensor) source, long first, Shape shape, int expert)
        {
            string name = _catalog.Get(role, layer, expert).Name;
            return (name, new GgufRows(source.File, source.Tensor, name, first, shape));
        }
    }

    private (string Name, StoredTensor Tensor) LatentUp(int layer)
    {
        var spec = _catalog.Get(TensorRole.LatentUp, layer);
        if (_set.Find(GgufNames.LatentKeys(layer)) is null && _set.Find(GgufNames.Of(TensorRole.LatentUp, layer)) is not null)
            return Plain(TensorRole.LatentUp, layer);
        var keys = Find(GgufNames.LatentKeys(layer), new Shape(Config.Heads, Config.LatentRank, Config.NopeWidth));
        var values = Find(GgufNames.LatentValues(layer), new Shape(Config.Heads, Config.ValueWidth, Config.LatentRank));
        return (spec.Name, new GgufLatentUp(keys.File, keys.Tensor, values.File, values.Tensor, spec.Name, spec.Shape));
    }

    private (string Name, StoredTensor Tensor) Bias(int layer)
    {
        var spec = _catalog.Get(TensorRole.RouterBias, layer);
        string name = GgufNames.Of(TensorRole.RouterBias, layer);
        return _set.Find(name) is null ? (spec.Name, new GgufZeros(_set.First.Path, spec.Name, spec.Shape)) : Whole(spec, name);
    }

    private (string Name, StoredTensor Tensor) Plain(TensorRole role, int layer = -1) => Whole(_catalog.Get(role, layer), GgufNames.Of(role, layer));

    private (string Name, StoredTensor Tensor) Whole(TensorSpec spec, string name)
    {
        var (file, tensor) = Find(name, spec.Shape);
        return (spec.Name, new GgufRows(file, tensor, spec.Name, 0, spec.Shape));
    }

    private (GgufFile File, GgufTensor Tensor) Find(string name, Shape shape)
    {
        var (file, tensor) = _set.Find(name) ?? throw new CheckpointException(_set.First.Path, name, $"tensor {name} is missing; the metadata ask for it with shape {shape}");
        if (tensor.Shape != shape) throw new CheckpointException(file.Path, name, $"tensor {name} has shape {tensor.Shape}, but the metadata ask for {shape}");
        if (!tensor.Type.IsReadable) throw new CheckpointException(file.Path, name, $"tensor {name} has type {tensor.Type.Name}, but must have a floating-point type or blocks");
        return (file, tensor);
    }
}
