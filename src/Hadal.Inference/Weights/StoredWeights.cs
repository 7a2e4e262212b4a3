using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>Gives tensors of a checkpoint to a backend: where they lie in the mapped file if it can read them there, else as copies on a stage.</summary>
internal sealed class StoredWeights : IDisposable
{
    private const int ChunkElements = 1 << 20;
    private readonly Checkpoint _checkpoint;
    private readonly IBackend _backend;
    private readonly ModelConfig _config;
    private readonly Arena _stage;
    private float[] _rows = [];

    public StoredWeights(Checkpoint checkpoint, IBackend backend)
    {
        (_checkpoint, _backend, _config) = (checkpoint, backend, checkpoint.Config);
        _stage = new Arena(backend, 1 << 20);
    }

    /// <summary>Rows of a tensor for a format, valid until <see cref="Reset"/>.</summary>
    public WeightPart Part(TensorSpec spec, WeightFormat format)
    {
        var stored = _checkpoint.Get(spec.Name);
        var type = stored.Type;
        if (stored.Blocks is { } inBlocks && format == WeightFormats.Of(inBlocks) && !NeedsPermutation(spec.Role))
            return new WeightPart(_checkpoint.ViewBlocks(spec.Name)) { Blocks = inBlocks };
        bool readable = type switch
        {
            DType.F32 => true,
            DType.BF16 or DType.F16 => format != WeightFormat.F32,
            DType.F8E4M3 => format is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 && _config.Quantization is { BlockColumns: var columns } && columns % 128 == 0,
            _ => false,
        };
        if (readable && !NeedsPermutation(spec.Role) && TryView(spec.Name, out var view))
        {
            if (type != DType.F8E4M3) return new WeightPart(view);
            var blocks = _config.Quantization!;
            return new WeightPart(view, Scales(spec), blocks.BlockRows, blocks.BlockColumns);
        }

        return new WeightPart(Single(spec));
    }

    /// <summary>Fills a matrix with tensors, one over the other, and clears the stage.</summary>
    /// <param name="packed">The arranged weights.</param>
    /// <param name="matrix">Which of them.</param>
    /// <param name="specs">Tensors with the same inputs.</param>
    /// <param name="alone">Whether other operations may be under way.</param>
    public void FillMatrix(PackedWeights packed, int matrix, TensorSpec[] specs, bool alone = false)
    {
        if (packed.Format == WeightFormat.F32 && specs.Length > 1)
        {
            var whole = Room(DType.F32, new Shape(packed.OutFeatures, packed.InFeatures));
            long row = 0;
            foreach (var spec in specs)
            {
                Fill(spec, whole.RowRange(row, spec.Shape.Rows));
                row += spec.Shape.Rows;
            }

            _backend.Fill(packed, matrix, [new WeightPart(whole)], alone);
        }
        else
        {
            _backend.Fill(packed, matrix, [.. specs.Select(s => Part(s, packed.Format))], alone);
        }

        Reset();
    }

    /// <summary>A tensor in FP32, valid until <see cref="Reset"/>.</summary>
    public Tensor Single(TensorSpec spec)
    {
        var copy = _stage.Allocate(DType.F32, new Shape(spec.Shape.Rows, spec.Shape.Columns));
        Fill(spec, copy);
        return copy;
    }

    /// <summary>The block scales of an FP8 tensor in FP32, valid until <see cref="Reset"/>.</summary>
    public Tensor Scales(TensorSpec spec)
    {
        var scales = _checkpoint.Get(spec.Name + TensorSpec.ScaleSuffix);
        var values = new float[scales.Shape.Count];
        _checkpoint.ReadSingle(scales.Name, values);
        var copy = _stage.Allocate(DType.F32, scales.Shape);
        _backend.Write(values, copy);
        return copy;
    }

    /// <summary>Room on the stage, valid until <see cref="Reset"/>.</summary>
    public Tensor Room(DType type, Shape shape) => _stage.Allocate(type, shape);

    /// <summary>Clears the stage.</summary>
    public void Reset() => _stage.Reset();

    /// <summary>Copies a tensor, converted to the type of the destination.</summary>
    public void Fill(TensorSpec spec, Tensor destination)
    {
        if (NeedsPermutation(spec.Role))
        {
            FillPermuted(spec, destination);
        }
        else if (_checkpoint.Get(spec.Name).Type is DType.F32 or DType.BF16 && TryView(spec.Name, out var view))
        {
            _backend.Copy(view.Reshape(new Shape(destination.Rows, destination.Columns)), destination);
        }
        else
        {
            long chunk = Math.Max(1, ChunkElements / spec.Shape.Columns);
            for (long row = 0; row < spec.Shape.Rows; row += chunk)
            {
                long count = Math.Min(chunk, spec.Shape.Rows - row);
                FillRows(spec, row, count, destination.RowRange(row, count));
            }
        }
    }

    /// <summary>A tensor where it lies in the file, in the file's type; false if it is not aligned to its elements.</summary>
    public bool TryView(string name, out Tensor view)
    {
        view = default;
        try
        {
            view = _checkpoint.View(name);
            return true;
        }
        catch (CheckpointException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stage.Dispose();

    private void FillRows(TensorSpec spec, long firstRow, long count, Tensor destination)
    {
        int elements = checked((int)(count * spec.Shape.Columns));
        if (_rows.Length < elements) _rows = new float[elements];
        _checkpoint.ReadRows(spec.Name, firstRow, count, _rows);
        _backend.Write(_rows.AsSpan(0, elements), destination);
    }

    // Files with rope_interleave false have the rows of a rotary pair i at i and i + r/2 of the rope part; kernels rotate neighbours.
    private void FillPermuted(TensorSpec spec, Tensor destination)
    {
        int rope = _config.RopeWidth, half = rope / 2;
        int period = spec.Role == TensorRole.LatentDown ? _config.CacheWidth : _config.QueryHeadWidth, plain = period - rope;
        for (long row = 0; row < spec.Shape.Rows; row++)
        {
            long start = row / period * period;
            int place = (int)(row - start) - plain;
            long source = place < 0 ? row : start + plain + (place % 2 * half) + (place / 2);
            FillRows(spec, source, 1, destination.RowRange(row, 1));
        }
    }

    private bool NeedsPermutation(TensorRole role) =>
        !_config.RopeInterleave && role is TensorRole.Query or TensorRole.QueryUp or TensorRole.LatentDown;
}
