using Hadal.Inference.Experts;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>Brings tensors of a checkpoint into the forms that inference uses, and owns them.</summary>
internal sealed class LoadedWeights : IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly IBackend _backend;
    private readonly ModelConfig _config;
    private readonly TensorCatalog _catalog;
    private readonly WeightFormats _formats;
    private readonly StoredWeights _stored;
    private readonly IProgress<LoadProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly ExpertCache? _experts;
    private readonly bool _lock;
    private readonly long _totalBytes;
    private readonly List<PackedWeights> _packed = [];
    private readonly List<PackedWeights> _cached = [];
    private long _loadedBytes, _settledBytes;
    private int _settled;

    public LoadedWeights(
        Checkpoint checkpoint, IBackend backend, LoadOptions options, int mtpLayers, ExpertCache? experts, IProgress<LoadProgress>? progress,
        CancellationToken cancellation)
    {
        (_experts, _lock) = (experts, options.Lock);
        (_checkpoint, _backend, _config, _catalog) = (checkpoint, backend, checkpoint.Config, checkpoint.Catalog);
        (_progress, _cancellation) = (progress, cancellation);
        _formats = new WeightFormats(checkpoint, options.Weights);
        _stored = new StoredWeights(checkpoint, backend);
        var tensors = _catalog.Main.Concat(Enumerable.Range(_config.Layers, mtpLayers).SelectMany(_catalog.Layer));
        _totalBytes = tensors.Where(t => t.IsParameter && (experts is null || t.Expert < 0)).Sum(StoredBytes);
        if (options is { WarmExperts: true, Lazy: false }) _totalBytes += experts?.WarmBytes ?? 0;
        Plain = new Arena(backend, 1 << 20);
    }

    /// <summary>Weights that are not packed and not views of the files.</summary>
    public Arena Plain { get; }

    /// <summary>Bytes held so far.</summary>
    public long ByteLength
    {
        get
        {
            lock (_packed) return _packed.Sum(w => w.ByteLength) + _cached.Sum(w => w.ByteLength) + Plain.ReservedBytes;
        }
    }

    /// <summary>The format of most of the bytes.</summary>
    public WeightFormat MainFormat
    {
        get
        {
            lock (_packed) return _packed.Concat(_cached).GroupBy(w => w.Format).MaxBy(g => g.Sum(w => w.MatrixBytes * w.Experts))?.Key ?? WeightFormat.F32;
        }
    }

    /// <summary>Bits of a weight in a matrix, scales and padding included, whether it is in memory or not.</summary>
    public double BitsPerWeight
    {
        get
        {
            lock (_packed)
            {
                var all = _packed.Concat(_cached);
                return 8.0 * all.Sum(w => w.MatrixBytes * w.Experts) / all.Sum(w => (double)w.Experts * w.OutFeatures * w.InFeatures);
            }
        }
    }

    /// <summary>Fills the memory left to experts.</summary>
    public void Warm()
    {
        long reported = 0;
        _experts?.Warm(
            (count, bytes) =>
            {
                _loadedBytes += bytes - reported;
                reported = bytes;
                _progress?.Report(new LoadProgress(Math.Min(_loadedBytes, _totalBytes), _totalBytes, $"{count} experts"));
            },
            _cancellation);
    }

    /// <summary>Drops what only the loading needed.</summary>
    public void Finish()
    {
        _stored.Dispose();
        if (_experts is null) WarmEmbedding();
    }

    /// <summary>Deals with what was loaded since the last call: counts it, and keeps it in physical memory if that is wanted.</summary>
    public void Settle()
    {
        for (; _settled < _packed.Count; _settled++)
        {
            _settledBytes += _packed[_settled].ByteLength;
            for (int m = 0; _lock && m < _packed[_settled].Experts; m++)
            {
                if (_packed[_settled].IsPresent(m)) _backend.Lock(_packed[_settled], m);
            }
        }

        if (_experts is not null) _experts.ResidentBytes = _settledBytes + Plain.ReservedBytes;
    }

    /// <summary>Releases everything that was loaded.</summary>
    public void Dispose()
    {
        foreach (var weights in _packed.Concat(_cached)) weights.Dispose();
        _stored.Dispose();
        Plain.Dispose();
    }

    public LayerWeights Layer(int layer)
    {
        var weights = Matrices(layer);
        if (weights.ExpertGateUp is { } gateUp) _experts?.Add(layer, gateUp, weights.ExpertDown!);
        return weights;
    }

    private LayerWeights Matrices(int layer)
    {
        bool experts = _config.IsMixtureOfExperts(layer), shared = experts && _config.SharedExperts > 0;
        var (up, absorbed, values) = LatentUp(layer);
        return new LayerWeights
        {
            AttentionNorm = Vector(TensorRole.AttentionNorm, layer),
            MlpNorm = Vector(TensorRole.MlpNorm, layer),
            Down = _config.HasQueryLatent ? Stacked(layer, TensorRole.QueryDown, TensorRole.LatentDown) : Stacked(layer, TensorRole.LatentDown),
            QueryLatentNorm = _config.HasQueryLatent ? Vector(TensorRole.QueryLatentNorm, layer) : default,
            Query = Stacked(layer, _config.HasQueryLatent ? TensorRole.QueryUp : TensorRole.Query),
            LatentNorm = Vector(TensorRole.LatentNorm, layer),
            LatentUp = up,
            QueryAbsorption = absorbed,
            ValueUp = values,
            AttentionOutput = Stacked(layer, TensorRole.AttentionOutput),
            Router = experts ? Stacked(layer, TensorRole.Router) : null,
            RouterBias = experts && _config.Router.HasBias ? Vector(TensorRole.RouterBias, layer) : default,
            ExpertGateUp = experts ? Experts(layer, TensorRole.ExpertGate, TensorRole.ExpertUp) : null,
            ExpertDown = experts ? Experts(layer, TensorRole.ExpertDown) : null,
            GateUp = !experts ? Stacked(layer, TensorRole.DenseGate, TensorRole.DenseUp)
                : shared ? Stacked(layer, TensorRole.SharedGate, TensorRole.SharedUp) : null,
            DenseDown = !experts ? Stacked(layer, TensorRole.DenseDown) : shared ? Stacked(layer, TensorRole.SharedDown) : null,
        };
    }

    public MtpWeights Mtp(int layer) => new()
    {
        Layer = Layer(layer),
        EmbeddingNorm = Vector(TensorRole.MtpEmbeddingNorm, layer),
        HiddenNorm = Vector(TensorRole.MtpHiddenNorm, layer),
        Projection = Stacked(layer, TensorRole.MtpProjection),
        FinalNorm = Vector(TensorRole.MtpFinalNorm, layer),
    };

    /// <summary>A vector in FP32.</summary>
    public Tensor Vector(TensorRole role, int layer = -1)
    {
        var spec = _catalog.Get(role, layer);
        var vector = Plain.Allocate(DType.F32, spec.Shape);
        _stored.Fill(spec, vector.Reshape(new Shape(1, spec.Count)));
        Advance(spec);
        return vector;
    }

    /// <summary>The embedding table where it lies in the file: U8 if it is in blocks, else F32, BF16 or F16. What is not aligned there is a copy in FP32.</summary>
    public Tensor Embedding()
    {
        var spec = _catalog.Get(TensorRole.Embedding);
        Advance(spec);
        if (_checkpoint.Get(spec.Name).Blocks is not null) return _checkpoint.ViewBlocks(spec.Name);
        if (_checkpoint.Get(spec.Name).Type is DType.F32 or DType.BF16 or DType.F16 && _stored.TryView(spec.Name, out var view)) return view;
        var copy = Plain.Allocate(DType.F32, spec.Shape);
        _stored.Fill(spec, copy);
        return copy;
    }

    /// <summary>Matrices with the same inputs, one over the other.</summary>
    public PackedWeights Stacked(int layer, params ReadOnlySpan<TensorRole> roles)
    {
        var specs = new TensorSpec[roles.Length];
        for (int i = 0; i < roles.Length; i++) specs[i] = _catalog.Get(roles[i], layer);
        var packed = Create(roles[0], 1, specs, specs);
        FillMatrix(packed, 0, specs);
        return packed;
    }

    /// <summary>One matrix of every expert (or two, one over the other) as a stack.</summary>
    public PackedWeights Experts(int layer, params ReadOnlySpan<TensorRole> roles)
    {
        var specs = new TensorSpec[_config.RoutedExperts][];
        for (int e = 0; e < specs.Length; e++)
        {
            specs[e] = new TensorSpec[roles.Length];
            for (int i = 0; i < roles.Length; i++) specs[e][i] = _catalog.Get(roles[i], layer, e);
        }

        var packed = Create(roles[0], specs.Length, specs[0], specs.SelectMany(s => s), isCached: _experts is not null);
        for (int e = 0; _experts is null && e < specs.Length; e++) FillMatrix(packed, e, specs[e]);
        return packed;
    }

    // Rows of an embedding table that is used where it lies are read one by one, each the first time from the disk: a thousand times slower than a token. Reading
    // the file once in a row leaves it in the system's memory.
    private void WarmEmbedding()
    {
        if (!_checkpoint.TryPlace(_catalog.Get(TensorRole.Embedding).Name, out var place)) return;
        using var file = File.OpenHandle(place.Path, options: FileOptions.SequentialScan);
        byte[] buffer = new byte[1 << 20];
        for (long done = 0; done < place.ByteLength && !_cancellation.IsCancellationRequested;)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, place.ByteLength - done)), place.Offset + done);
            if (read == 0) return;
            done += read;
        }
    }

    private PackedWeights Create(TensorRole role, int matrices, TensorSpec[] first, IEnumerable<TensorSpec> all, bool isCached = false)
    {
        var format = _formats.Of(role, all.Select(s => s.Name));
        var packed = _backend.CreatePacked(format, matrices, checked((int)first.Sum(s => s.Shape.Rows)), checked((int)first[0].Shape.Columns), together: !isCached);
        return Keep(packed, isCached ? _cached : _packed);
    }

    private void FillMatrix(PackedWeights packed, int matrix, TensorSpec[] specs)
    {
        _stored.FillMatrix(packed, matrix, specs);
        foreach (var spec in specs) Advance(spec);
    }

    // kv_b_proj: per head n key rows, then v value rows (section 2.1 of the specification). W_UK is turned over once, so that a query meets it as [R, n].
    private (PackedWeights Up, PackedWeights Absorbed, PackedWeights Values) LatentUp(int layer)
    {
        int heads = _config.Heads, nope = _config.NopeWidth, value = _config.ValueWidth, rank = _config.LatentRank;
        var spec = _catalog.Get(TensorRole.LatentUp, layer);
        var (format, perHead, _) = _formats.OfLatentUp(spec);
        if (LatentBlocks(layer, spec) is { } split) return split;
        bool keepsCodes = _formats.KeepsLatentCodes(spec, format), aligned = _formats.IsLatentAligned;
        var blocks = _formats.Blocks;
        var up = Keep(_backend.CreatePacked(format, 1, heads * (nope + value), rank));
        _backend.Fill(up, 0, [_stored.Part(spec, format)]);
        _stored.Reset();
        var absorbed = Keep(_backend.CreatePacked(perHead, heads, rank, nope, together: true));
        var values = Keep(_backend.CreatePacked(perHead, heads, value, rank, together: true));
        var rows = keepsCodes && aligned ? _stored.Part(spec, WeightFormat.Fp8) : new WeightPart(_stored.Single(spec));
        var turned = _stored.Room(rows.Codes.Type, new Shape(rank, nope));
        for (int h = 0; h < heads; h++)
        {
            _cancellation.ThrowIfCancellationRequested();
            long first = (long)h * (nope + value);
            _backend.Transpose(rows.Codes.RowRange(first, nope), turned);
            _backend.Fill(absorbed, h, [new WeightPart(turned, TurnedScales(first), blocks.BlockColumns, blocks.BlockRows)]);
            _backend.Fill(values, h, [rows with { Codes = rows.Codes.RowRange(first + nope, value), Scales = ValueScales(first + nope) }]);
        }

        _stored.Reset();
        Advance(spec);
        return (up, absorbed, values);

        Tensor TurnedScales(long row)
        {
            if (rows.Scales.IsEmpty) return default;
            var scales = _stored.Room(DType.F32, new Shape(rows.Scales.Columns, nope / blocks.BlockRows));
            _backend.Transpose(rows.Scales.RowRange(row / blocks.BlockRows, nope / blocks.BlockRows), scales);
            return scales;
        }

        Tensor ValueScales(long row) => rows.Scales.IsEmpty ? default : rows.Scales.RowRange(row / blocks.BlockRows, value / blocks.BlockRows);
    }

    // A GGUF file has the two parts apart, each head's keys turned over already. Its blocks stay as they are for decoding; the two together, for prompts, are made
    // of their values in bfloat16.
    private (PackedWeights Up, PackedWeights Absorbed, PackedWeights Values)? LatentBlocks(int layer, TensorSpec spec)
    {
        if (_formats.LatentBlocks(layer) is not { } blocks) return null;
        var (keyName, valueName) = WeightFormats.LatentParts(layer);
        int heads = _config.Heads, rank = _config.LatentRank;
        var up = Keep(_backend.CreatePacked(WeightFormat.BF16, 1, heads * (_config.NopeWidth + _config.ValueWidth), rank));
        _backend.Fill(up, 0, [new WeightPart(_stored.Single(spec))]);
        _stored.Reset();
        var absorbed = Keep(_backend.CreatePacked(WeightFormats.Of(blocks.Keys), heads, rank, _config.NopeWidth, together: true));
        var values = Keep(_backend.CreatePacked(WeightFormats.Of(blocks.Values), heads, _config.ValueWidth, rank, together: true));
        Tensor keys = _checkpoint.ViewBlocks(keyName), rows = _checkpoint.ViewBlocks(valueName);
        for (int h = 0; h < heads; h++)
        {
            _backend.Fill(absorbed, h, [new WeightPart(keys.Slice(h)) { Blocks = blocks.Keys }]);
            _backend.Fill(values, h, [new WeightPart(rows.Slice(h)) { Blocks = blocks.Values }]);
        }

        Advance(spec);
        return (up, absorbed, values);
    }

    private long StoredBytes(TensorSpec spec) => _checkpoint.Get(spec.Name).ByteLength;

    private void Advance(TensorSpec spec)
    {
        _cancellation.ThrowIfCancellationRequested();
        _loadedBytes += StoredBytes(spec);
        _progress?.Report(new LoadProgress(_loadedBytes, _totalBytes, spec.Name));
    }

    private PackedWeights Keep(PackedWeights weights) => Keep(weights, _packed);

    private PackedWeights Keep(PackedWeights weights, List<PackedWeights> list)
    {
        lock (_packed) list.Add(weights);
        return weights;
    }
}
