using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>Brings tensors of a checkpoint into the forms that inference uses, and owns them. BF16 stays BF16; everything else becomes FP32 (FP8 with its
/// block scales).</summary>
internal sealed class LoadedWeights : IDisposable
{
    private const int ChunkElements = 1 << 20;
    private readonly Checkpoint _checkpoint;
    private readonly IBackend _backend;
    private readonly ModelConfig _config;
    private readonly TensorCatalog _catalog;
    private readonly IProgress<LoadProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly long _totalBytes;
    private long _loadedBytes;
    private float[] _rows = new float[ChunkElements];

    public LoadedWeights(
        Checkpoint checkpoint, IBackend backend, int mtpLayers, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        (_checkpoint, _backend, _config, _catalog) = (checkpoint, backend, checkpoint.Config, checkpoint.Catalog);
        (_progress, _cancellation) = (progress, cancellation);
        var tensors = _catalog.Main.Concat(Enumerable.Range(_config.Layers, mtpLayers).SelectMany(_catalog.Layer));
        _totalBytes = tensors.Where(t => t.IsParameter).Sum(t => ByteLength(t));
        Plain = new Arena(backend, 1 << 20);
    }

    /// <summary>Weights that are not packed and not views of the files.</summary>
    public Arena Plain { get; }

    /// <summary>Drops what only the loading needed.</summary>
    public void Finish() => _rows = [];

    /// <summary>Everything packed so far.</summary>
    public List<PackedWeights> Packed { get; } = [];

    /// <summary>Releases everything that was loaded.</summary>
    public void Dispose()
    {
        foreach (var weights in Packed) weights.Dispose();
        Plain.Dispose();
    }

    public LayerWeights Layer(int layer)
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
        Fill(spec, vector.Reshape(new Shape(1, spec.Count)));
        return vector;
    }

    /// <summary>Matrices with the same inputs, one over the other, packed.</summary>
    public PackedWeights Stacked(int layer, params ReadOnlySpan<TensorRole> roles)
    {
        var first = _catalog.Get(roles[0], layer);
        if (roles.Length == 1 && !NeedsPermutation(roles[0]) && TryView(first.Name, out var view))
        {
            var packed = Keep(_backend.Pack(view));
            Advance(first);
            return packed;
        }

        long rows = 0;
        bool narrow = true;
        foreach (var role in roles)
        {
            var spec = _catalog.Get(role, layer);
            rows += spec.Shape.Rows;
            narrow &= IsNarrow(spec.Name);
        }

        var type = narrow ? DType.BF16 : DType.F32;
        using var storage = _backend.CreateStorage(checked(rows * first.Shape.Columns * type.SizeOf()));
        var stage = storage.View(0, type, new Shape(rows, first.Shape.Columns));
        long row = 0;
        foreach (var role in roles)
        {
            var spec = _catalog.Get(role, layer);
            Fill(spec, stage.RowRange(row, spec.Shape.Rows));
            row += spec.Shape.Rows;
        }

        return Keep(_backend.Pack(stage));
    }

    /// <summary>One matrix of every expert (or two, one over the other), packed as a stack.</summary>
    public PackedWeights Experts(int layer, params ReadOnlySpan<TensorRole> roles)
    {
        var shape = _catalog.Get(roles[0], layer, 0).Shape;
        bool narrow = true;
        for (int e = 0; e < _config.RoutedExperts; e++)
        {
            foreach (var role in roles) narrow &= IsNarrow(_catalog.Get(role, layer, e).Name);
        }

        var type = narrow ? DType.BF16 : DType.F32;
        var stack = new Shape(_config.RoutedExperts, roles.Length * shape.Rows, shape.Columns);
        using var storage = _backend.CreateStorage(checked(stack.Count * type.SizeOf()));
        var stage = storage.View(0, type, stack);
        for (int e = 0; e < _config.RoutedExperts; e++)
        {
            for (int i = 0; i < roles.Length; i++)
            {
                Fill(_catalog.Get(roles[i], layer, e), stage.Slice(e).RowRange(i * shape.Rows, shape.Rows));
            }
        }

        return Keep(_backend.Pack(stage));
    }

    /// <summary>A matrix as it is stored: a view of the file if it is F32 or BF16, else a copy in FP32.</summary>
    public Tensor Matrix(TensorRole role, int layer = -1)
    {
        var spec = _catalog.Get(role, layer);
        if (TryView(spec.Name, out var view))
        {
            Advance(spec);
            return view;
        }

        var copy = Plain.Allocate(IsNarrow(spec.Name) ? DType.BF16 : DType.F32, spec.Shape);
        Fill(spec, copy);
        return copy;
    }

    // kv_b_proj: per head n key rows, then v value rows (section 2.1 of the specification). W_UK is turned over once, so that a query meets it as [R, n].
    private (Tensor Up, PackedWeights Absorbed, PackedWeights Values) LatentUp(int layer)
    {
        int heads = _config.Heads, nope = _config.NopeWidth, value = _config.ValueWidth, rank = _config.LatentRank;
        var up = Matrix(TensorRole.LatentUp, layer);
        using var storage = _backend.CreateStorage(checked((long)heads * rank * Math.Max(nope, value) * sizeof(float)));
        using var narrowed = _backend.CreateStorage(checked((long)heads * rank * Math.Max(nope, value) * sizeof(ushort)));
        var keys = storage.View(0, DType.F32, new Shape(heads, rank, nope));
        using (var perHead = _backend.CreateStorage(checked((long)nope * rank * sizeof(float))))
        {
            var head = perHead.View(0, DType.F32, new Shape(nope, rank));
            var rows = new float[nope * rank];
            var turned = new float[rank * nope];
            for (int h = 0; h < heads; h++)
            {
                _backend.Copy(up.RowRange((long)h * (nope + value), nope), head);
                _backend.Read(head, rows);
                for (int c = 0; c < rank; c++)
                {
                    for (int i = 0; i < nope; i++) turned[c * nope + i] = rows[i * rank + c];
                }

                _backend.Write(turned, keys.Slice(h));
            }
        }

        var absorbed = Pack(keys);
        var values = storage.View(0, DType.F32, new Shape(heads, value, rank));
        for (int h = 0; h < heads; h++) _backend.Copy(up.RowRange((long)h * (nope + value) + nope, value), values.Slice(h));
        return (up, absorbed, Pack(values));

        // BF16 weights widened and rounded back are the same.
        PackedWeights Pack(Tensor stack)
        {
            if (up.Type == DType.F32) return Keep(_backend.Pack(stack));
            var narrow = narrowed.View(0, DType.BF16, stack.Shape);
            _backend.Copy(stack, narrow);
            return Keep(_backend.Pack(narrow));
        }
    }

    private void Fill(TensorSpec spec, Tensor destination)
    {
        if (NeedsPermutation(spec.Role))
        {
            FillPermuted(spec, destination);
        }
        else if (TryView(spec.Name, out var view))
        {
            _backend.Copy(view.Reshape(new Shape(destination.Rows, destination.Columns)), destination);
        }
        else
        {
            long chunk = Math.Max(1, ChunkElements / spec.Shape.Columns);
            for (long row = 0; row < spec.Shape.Rows; row += chunk)
            {
                _cancellation.ThrowIfCancellationRequested();
                long count = Math.Min(chunk, spec.Shape.Rows - row);
                FillRows(spec, row, count, destination.RowRange(row, count));
            }
        }

        Advance(spec);
    }

    private void FillRows(TensorSpec spec, long firstRow, long count, Tensor destination)
    {
        int elements = checked((int)(count * spec.Shape.Columns));
        if (_rows.Length < elements) _rows = new float[elements];
        _checkpoint.ReadRows(spec.Name, firstRow, count, _rows);
        var values = _rows.AsSpan(0, elements);
        if (destination.Type == DType.F32)
        {
            _backend.Write(values, destination);
            return;
        }

        using var storage = _backend.CreateStorage((long)elements * sizeof(float));
        var wide = storage.View(0, DType.F32, new Shape(count, spec.Shape.Columns));
        _backend.Write(values, wide);
        _backend.Copy(wide, destination);
    }

    // Files with rope_interleave false have the rows of a rotary pair i at i and i + r/2 of the rope part; kernels rotate neighbours.
    private void FillPermuted(TensorSpec spec, Tensor destination)
    {
        int rope = _config.RopeWidth, half = rope / 2;
        int period = spec.Role == TensorRole.LatentDown ? _config.CacheWidth : _config.QueryHeadWidth, plain = period - rope;
        for (long row = 0; row < spec.Shape.Rows; row++)
        {
            _cancellation.ThrowIfCancellationRequested();
            long start = row / period * period;
            int place = (int)(row - start) - plain;
            long source = place < 0 ? row : start + plain + (place % 2 * half) + (place / 2);
            FillRows(spec, source, 1, destination.RowRange(row, 1));
        }
    }

    private bool NeedsPermutation(TensorRole role) =>
        !_config.RopeInterleave && role is TensorRole.Query or TensorRole.QueryUp or TensorRole.LatentDown;

    private bool IsNarrow(string name) => _checkpoint.Get(name).Type == DType.BF16;

    private bool TryView(string name, out Tensor view)
    {
        view = default;
        if (_checkpoint.Get(name).Type is not (DType.F32 or DType.BF16)) return false;
        try
        {
            view = _checkpoint.View(name);
            return true;
        }
        catch (CheckpointException)
        {
            // Not aligned to its element size: only a copy is possible.
            return false;
        }
    }

    private long ByteLength(TensorSpec spec) => spec.Count * _checkpoint.Get(spec.Name).Type.SizeOf();

    private void Advance(TensorSpec spec)
    {
        _cancellation.ThrowIfCancellationRequested();
        _loadedBytes += ByteLength(spec);
        _progress?.Report(new LoadProgress(_loadedBytes, _totalBytes, spec.Name));
    }

    private PackedWeights Keep(PackedWeights weights)
    {
        Packed.Add(weights);
        return weights;
    }
}
