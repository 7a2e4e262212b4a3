using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>Reads experts from a checkpoint's files and arranges them, on one thread.</summary>
/// <remarks>
/// The tensors of an expert mostly lie side by side, so a single large read brings all of them. Tensors whose codes the wanted format does not take as they are go through
/// the mapped file instead, widened on the way.
/// </remarks>
internal sealed class ExpertReader : IDisposable
{
    // Tensors that lie at most this far apart in a file are read at once with what is between them.
    private const long LargestGap = 64 << 10;
    private readonly Checkpoint _checkpoint;
    private readonly TensorCatalog _catalog;
    private readonly IBackend _backend;
    private readonly ExpertFiles? _files;
    private readonly StoredWeights _stored;
    private readonly List<(TensorSpec Spec, TensorPlace Place)> _wanted = [];
    private readonly List<Range> _ranges = [];
    private readonly Dictionary<string, long> _onStage = [];
    private readonly long _stageBytes;
    private Storage? _stage;

    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="backend">Where weights go.</param>
    /// <param name="files">Its files; null to read through the mapping only.</param>
    /// <param name="stageBytes">Room for the codes of an expert.</param>
    public ExpertReader(Checkpoint checkpoint, IBackend backend, ExpertFiles? files, long stageBytes)
    {
        (_checkpoint, _catalog, _backend, _files, _stageBytes) = (checkpoint, checkpoint.Catalog, backend, files, stageBytes);
        _stored = new StoredWeights(checkpoint, backend);
    }

    /// <summary>Reads an expert and fills its matrices.</summary>
    /// <returns>Bytes read.</returns>
    /// <exception cref="CheckpointException">A file does not deliver what it did when it was opened.</exception>
    public long Read(int layer, int expert, PackedWeights gateUp, PackedWeights down)
    {
        TensorSpec[] upper = [_catalog.Get(TensorRole.ExpertGate, layer, expert), _catalog.Get(TensorRole.ExpertUp, layer, expert)];
        TensorSpec[] lower = [_catalog.Get(TensorRole.ExpertDown, layer, expert)];
        if (_files is not null && Plan(upper, gateUp.Format) && Plan(lower, down.Format))
        {
            long bytes = ReadWanted();
            FillFromStage(gateUp, expert, upper);
            FillFromStage(down, expert, lower);
            Forget();
            return bytes;
        }

        Forget();
        _stored.FillMatrix(gateUp, expert, upper, alone: true);
        _stored.FillMatrix(down, expert, lower, alone: true);
        return upper.Concat(lower).Sum(s => s.Count * _checkpoint.Get(s.Name).Type.SizeOf());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stored.Dispose();
        _stage?.Dispose();
    }

    private bool Plan(ReadOnlySpan<TensorSpec> specs, WeightFormat format)
    {
        foreach (var spec in specs)
        {
            var type = _checkpoint.Get(spec.Name).Type;
            bool taken = type switch
            {
                DType.F32 or DType.BF16 => true,
                DType.F16 => format != WeightFormat.F32,
                DType.F8E4M3 => format is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 && _checkpoint.Config.Quantization is { BlockColumns: var columns } && columns % 128 == 0,
                _ => false,
            };
            if (!taken || !Add(spec, type)) return false;
            if (type == DType.F8E4M3 && !(_catalog.Scales(spec) is { } scales && _checkpoint.Get(scales.Name).Type == DType.F32 && Add(scales, DType.F32))) return false;
        }

        return true;
    }

    private bool Add(TensorSpec spec, DType type)
    {
        if (!_checkpoint.TryPlace(spec.Name, out var place) || place.Offset % type.SizeOf() != 0) return false;
        _wanted.Add((spec, place));
        return true;
    }

    // Neighbours together, from block to block of the file; a tensor's place on the stage keeps its distance from the block's start, and so its alignment.
    private long ReadWanted()
    {
        _wanted.Sort(static (a, b) => a.Place.Path == b.Place.Path ? a.Place.Offset.CompareTo(b.Place.Offset) : string.CompareOrdinal(a.Place.Path, b.Place.Path));
        const int block = StreamedFile.Block;
        _ranges.Clear();
        long stageEnd = 0;
        for (int i = 0, next; i < _wanted.Count; i = next)
        {
            var first = _wanted[i].Place;
            long end = first.Offset + first.ByteLength;
            for (next = i + 1; next < _wanted.Count && _wanted[next].Place.Path == first.Path && _wanted[next].Place.Offset <= end + LargestGap; next++)
                end = Math.Max(end, _wanted[next].Place.Offset + _wanted[next].Place.ByteLength);
            long start = first.Offset / block * block, length = (end - start + block - 1) / block * block;
            _ranges.Add(new Range(_wanted[i].Spec.Name, first.Path, start, length, end, stageEnd));
            for (int j = i; j < next; j++) _onStage[_wanted[j].Spec.Name] = stageEnd + _wanted[j].Place.Offset - start;
            stageEnd += length;
        }

        if (_stage is null || _stage.ByteLength < stageEnd)
        {
            _stage?.Dispose();
            _stage = null;
            // From a megabyte on memory starts at a page, which reads past the file cache need.
            _stage = _backend.CreateStorage(Math.Max(Math.Max(stageEnd, _stageBytes), 1 << 20));
        }

        foreach (var range in _ranges) ReadRange(range);
        return stageEnd;
    }

    private void ReadRange(in Range range)
    {
        long read;
        try
        {
            read = _files!.Open(range.Path).Read(range.Start, range.Length, _stage!, range.Place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            throw new CheckpointException(range.Path, range.Tensor, $"tensor {range.Tensor} cannot be read any more ({e.Message.TrimEnd('.')})", e);
        }

        if (range.Start + read >= range.End) return;
        throw new CheckpointException(range.Path, range.Tensor,
            $"the bytes from {range.Tensor} on reach to {range.End}, but the file now ends at byte {range.Start + read}: it was cut short while it was in use");
    }

    private void FillFromStage(PackedWeights packed, int expert, TensorSpec[] specs)
    {
        if (packed.Format != WeightFormat.F32)
        {
            _backend.Fill(packed, expert, [.. specs.Select(Part)], alone: true);
            return;
        }

        // FP32 weights are filled from one matrix.
        var whole = _stored.Room(DType.F32, new Shape(packed.OutFeatures, packed.InFeatures));
        long row = 0;
        foreach (var spec in specs)
        {
            _backend.Copy(View(spec, _checkpoint.Get(spec.Name).Type), whole.RowRange(row, spec.Shape.Rows));
            row += spec.Shape.Rows;
        }

        _backend.Fill(packed, expert, [new WeightPart(whole)], alone: true);
        _stored.Reset();
    }

    private WeightPart Part(TensorSpec spec)
    {
        var codes = View(spec, _checkpoint.Get(spec.Name).Type);
        if (codes.Type != DType.F8E4M3) return new WeightPart(codes);
        BlockQuantization blocks = _checkpoint.Config.Quantization!;
        return new WeightPart(codes, View(_catalog.Scales(spec)!, DType.F32), blocks.BlockRows, blocks.BlockColumns);
    }

    private Tensor View(TensorSpec spec, DType type) => _stage!.View(_onStage[spec.Name], type, spec.Shape);

    private void Forget()
    {
        _wanted.Clear();
        _onStage.Clear();
    }

    private readonly record struct Range(string Tensor, string Path, long Start, long Length, long End, long Place);
}
