using Hadal.Inference.Cache;
using Hadal.Inference.Experts;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Inference.Weights;

/// <summary>A model loaded for inference: its configuration and its weights, arranged for a backend.</summary>
/// <remarks>
/// Weights stay in the format in which they are stored unless <see cref="LoadOptions.Weights"/> asks for another: FP32, BF16, FP16, FP8 with its block scales,
/// blocks of GGUF files. The embedding table is used where it lies in the mapped file.
/// Immutable once loaded: any number of runners may share it.
/// </remarks>
public sealed class InferenceModel : IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly LoadedWeights _weights;
    private readonly CancellationTokenSource _stop;
    private readonly OrderedLoading _loading;
    private readonly LayerWeights[] _layers;
    private PackedWeights? _head;
    private MtpWeights? _mtp;
    private bool _disposed;

    private InferenceModel(Checkpoint checkpoint, IBackend backend, LoadOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        (_checkpoint, Backend, Config) = (checkpoint, backend, checkpoint.Config);
        HasMtp = options.Mtp && checkpoint.MtpLayers > 0;
        int mtpLayers = HasMtp ? 1 : 0;
        _layers = new LayerWeights[Config.Layers];
        if (options.Memory is { } memory && Config.RoutedExperts > 0)
            Experts = new ExpertCache(checkpoint, backend, ExpertBudget.Of(checkpoint, options, backend, mtpLayers, memory), options);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _weights = new LoadedWeights(checkpoint, backend, options, mtpLayers, Experts, progress, _stop.Token);
        PackedWeights? last = null;
        try
        {
            Embedding = _weights.Embedding();
            EmbeddingBlocks = checkpoint.Get(checkpoint.Catalog.Get(TensorRole.Embedding).Name).Blocks;
            FinalNorm = _weights.Vector(TensorRole.FinalNorm);
            _loading = new OrderedLoading(Config.Layers + 2, Load, _stop.Token);
            if (options.Lazy) _loading.Start();
            else _loading.Run();
            if (options is { WarmExperts: true, Lazy: false }) _weights.Warm();
        }
        catch
        {
            Release();
            throw;
        }

        void Load(int part)
        {
            if (part < Config.Layers) last = (_layers[part] = _weights.Layer(part)).Chain(last);
            else if (part == Config.Layers) last!.Next = _head = _weights.Stacked(-1, TensorRole.Head);
            else if (HasMtp) _mtp = _weights.Mtp(Config.Layers);
            _weights.Settle();
            if (part == Config.Layers + 1) _weights.Finish();
        }
    }

    /// <summary>What the model is.</summary>
    public ModelConfig Config { get; }

    /// <summary>What it computes on.</summary>
    public IBackend Backend { get; }

    /// <summary>The folder it was loaded from.</summary>
    public string Folder => _checkpoint.Folder;

    /// <summary>Whether the MTP module is loaded, so that tokens can be drafted. Of several modules the first is used, again and again for further
    /// drafts.</summary>
    public bool HasMtp { get; }

    /// <summary>Layers that a cache for this model has: the decoder's, and one for the MTP module.</summary>
    public int CacheLayers => Config.Layers + (HasMtp ? 1 : 0);

    /// <summary>The format of most weights.</summary>
    public WeightFormat MainFormat => _weights.MainFormat;

    /// <summary>The type in which the cache is kept unless told otherwise: F32 for an FP32 checkpoint, else BF16.</summary>
    public DType DefaultCacheType => _checkpoint.Get(_checkpoint.Catalog.Get(TensorRole.Embedding).Name).Type == DType.F32 ? DType.F32 : DType.BF16;

    /// <summary>Bytes of weights held in memory, the mapped file not counted.</summary>
    public long ByteLength => _weights.ByteLength;

    /// <summary>What the cache of routed experts has done so far; null if all experts are kept.</summary>
    public ExpertStatistics? ExpertStatistics => Experts?.Statistics;

    /// <summary>Reads of experts that are under way at once at most; 0 if all experts are kept.</summary>
    public int ExpertReaders => Experts?.Readers ?? 0;

    /// <summary>Bits that a weight of a matrix takes in the mean, scales and padding included.</summary>
    public double BitsPerWeight => _weights.BitsPerWeight;

    internal Tensor Embedding { get; }

    internal BlockFormat? EmbeddingBlocks { get; }

    internal Tensor FinalNorm { get; }

    internal ExpertCache? Experts { get; }

    /// <summary>A layer, as soon as it is loaded.</summary>
    internal LayerWeights Layer(int layer, CancellationToken cancellation)
    {
        _loading.Require(layer, cancellation);
        return _layers[layer];
    }

    /// <summary>A layer if it is loaded already.</summary>
    internal LayerWeights? LoadedLayer(int layer) => layer < Config.Layers && _loading.IsLoaded(layer) ? _layers[layer] : null;

    internal PackedWeights Head(CancellationToken cancellation)
    {
        _loading.Require(Config.Layers, cancellation);
        return _head!;
    }

    internal MtpWeights Mtp(CancellationToken cancellation)
    {
        RequireMtp();
        _loading.Require(Config.Layers + 1, cancellation);
        return _mtp!;
    }

    /// <summary>Loads a Hugging Face folder.</summary>
    /// <param name="folder">A folder with <c>config.json</c> and safetensors files.</param>
    /// <param name="backend">What to compute on; has to outlive the model.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="progress">Told after each tensor; or null.</param>
    /// <param name="cancellation">Stops the loading; everything loaded so far is released.</param>
    /// <returns>The model, owned by the caller.</returns>
    /// <exception cref="ConfigException">The configuration is missing or wrong.</exception>
    /// <exception cref="CheckpointException">A file or tensor is missing or wrong.</exception>
    /// <exception cref="GenerationException">The memory allowed is too little.</exception>
    /// <exception cref="OperationCanceledException">The loading was stopped.</exception>
    public static InferenceModel Load(
        string folder, IBackend backend, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        options ??= new LoadOptions();
        var checkpoint = Checkpoint.Open(folder);
        try
        {
            return new InferenceModel(checkpoint, backend, options, progress, cancellation);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that the weights of a checkpoint take in memory if all are kept; what is used where it lies in the mapped file is not counted.</summary>
    /// <param name="folder">A Hugging Face folder or a GGUF file.</param>
    /// <param name="backend">What would compute.</param>
    /// <param name="options">How it would be loaded; null for the defaults.</param>
    /// <returns>The bytes, from the headers of the files alone.</returns>
    /// <exception cref="ConfigException">The configuration is missing or wrong.</exception>
    /// <exception cref="CheckpointException">A file or tensor is missing or wrong.</exception>
    public static long MemoryBytes(string folder, IBackend backend, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        using var checkpoint = Checkpoint.Open(folder);
        return new WeightMemory(checkpoint, backend, options ?? new LoadOptions()).Total();
    }

    /// <summary>A latent cache that fits the model.</summary>
    /// <param name="mostTokens">Tokens it may hold at most, over all sequences.</param>
    /// <param name="type">F32, BF16, F8E4M3, or null for <see cref="DefaultCacheType"/>.</param>
    /// <returns>The cache, owned by the caller. It starts with room for at most 1,024 tokens and grows.</returns>
    public LatentCache CreateCache(int mostTokens, DType? type = null) =>
        new(Backend, CacheLayers, Config.LatentRank, Config.RopeWidth, type ?? DefaultCacheType, Math.Min(mostTokens, 1024), mostTokens);

    /// <summary>Makes sure that tokens can be drafted.</summary>
    /// <exception cref="GenerationException">The checkpoint has no MTP module, or it was not loaded.</exception>
    public void RequireMtp()
    {
        if (HasMtp) return;
        throw new GenerationException(Config.MtpLayers == 0
            ? $"{Folder} has no MTP module to draft tokens with (num_nextn_predict_layers is 0); generate without speculation."
            : $"{Folder} announces an MTP module (num_nextn_predict_layers is {Config.MtpLayers}) that its files leave out or that was not loaded; "
            + "generate without speculation.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Release();
        _checkpoint.Dispose();
    }

    private void Release()
    {
        _stop.Cancel();
        _loading?.Wait();
        Experts?.Dispose();
        _weights.Dispose();
        _stop.Dispose();
    }
}
