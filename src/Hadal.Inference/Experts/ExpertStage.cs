using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Inference.Experts;

/// <summary>Room for the bytes of an expert as its files have them, read past the system's file cache.</summary>
/// <remarks>The tensors of an expert mostly lie side by side, so a single large read brings all of them.</remarks>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="files">Its files.</param>
/// <param name="room">Memory that several stages share.</param>
/// <param name="start">Where this one starts, a multiple of <see cref="StreamedFile.Block"/>.</param>
/// <param name="length">Its bytes.</param>
internal sealed class ExpertStage(Checkpoint checkpoint, ExpertFiles files, Storage room, long start, long length)
{
    /// <summary>What a stage has to hold beside the tensors of an expert: gaps between them, and whole blocks of the file around them.</summary>
    public const long Slack = 6 * (LargestGap + 2 * StreamedFile.Block);

    // Tensors that lie at most this far apart in a file are read at once with what is between them.
    private const long LargestGap = 64 << 10;
    private readonly List<(TensorSpec Spec, TensorPlace Place)> _wanted = [];
    private readonly List<Range> _ranges = [];
    private readonly Dictionary<string, long> _places = [];

    /// <summary>Whether a matrix can be filled from a stage; if not, its rows are widened on the way from the mapped file.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="spec">The tensor.</param>
    /// <param name="format">The format in which it is held.</param>
    public static bool Takes(Checkpoint checkpoint, TensorSpec spec, WeightFormat format)
    {
        var stored = checkpoint.Get(spec.Name);
        if (!checkpoint.TryPlace(spec.Name, out var place)) return false;
        if (stored.Blocks is { } blocks) return format == WeightFormats.Of(blocks);
        if (place.Offset % stored.Type.SizeOf() != 0) return false;
        return stored.Type switch
        {
            DType.F32 or DType.BF16 => true,
            DType.F16 => format != WeightFormat.F32,
            DType.F8E4M3 => format is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 && checkpoint.Config.Quantization is { BlockColumns: var columns } && columns % 128 == 0
                && checkpoint.Catalog.Scales(spec) is { } scales && checkpoint.Get(scales.Name).Type == DType.F32 && checkpoint.TryPlace(scales.Name, out var at)
                && at.Offset % sizeof(float) == 0,
            _ => false,
        };
    }

    /// <summary>Reads an expert whose tensors a stage takes.</summary>
    /// <returns>Bytes read.</returns>
    /// <exception cref="CheckpointException">A file does not deliver what it did when it was opened.</exception>
    public long Read(int layer, int expert)
    {
        _wanted.Clear();
        _places.Clear();
        foreach (var role in (ReadOnlySpan<TensorRole>)[TensorRole.ExpertGate, TensorRole.ExpertUp, TensorRole.ExpertDown])
        {
            var spec = checkpoint.Catalog.Get(role, layer, expert);
            Add(spec);
            if (checkpoint.Get(spec.Name).Type == DType.F8E4M3) Add(checkpoint.Catalog.Scales(spec)!);
        }

        long end = PlaceNeighbours();
        foreach (var range in _ranges) ReadRange(range);
        return end;
    }

    /// <summary>A matrix of the expert read last, for filling arranged weights.</summary>
    public WeightPart Part(TensorSpec spec)
    {
        var stored = checkpoint.Get(spec.Name);
        if (stored.Blocks is { } blocks)
            return new WeightPart(View(spec, DType.U8, new Shape(spec.Shape.Rows, blocks.BytesFor(spec.Shape.Columns)))) { Blocks = blocks };
        var codes = View(spec, stored.Type, spec.Shape);
        if (stored.Type != DType.F8E4M3) return new WeightPart(codes);
        BlockQuantization scaling = checkpoint.Config.Quantization!;
        var scales = checkpoint.Catalog.Scales(spec)!;
        return new WeightPart(codes, View(scales, DType.F32, scales.Shape), scaling.BlockRows, scaling.BlockColumns);
    }

    private Tensor View(TensorSpec spec, DType type, Shape shape) => room.View(start + _places[spec.Name], type, shape);

    private void Add(TensorSpec spec)
    {
        _ = checkpoint.TryPlace(spec.Name, out var place);
        _wanted.Add((spec, place));
    }

    // Neighbours together, from block to block of the file; a tensor's place on the stage keeps its distance from the block's start, and so its alignment.
    private long PlaceNeighbours()
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
            long begin = first.Offset / block * block, bytes = (end - begin + block - 1) / block * block;
            _ranges.Add(new Range(_wanted[i].Spec.Name, first.Path, begin, bytes, end, stageEnd));
            for (int j = i; j < next; j++) _places[_wanted[j].Spec.Name] = stageEnd + _wanted[j].Place.Offset - begin;
            stageEnd += bytes;
        }

        if (stageEnd <= length) return stageEnd;
        var spec = _wanted[0].Spec;
        throw new CheckpointException(_wanted[0].Place.Path, spec.Name, $"the expert of tensor {spec.Name} takes {stageEnd} bytes, more than the {length} that experts of this model take");
    }

    private void ReadRange(in Range range)
    {
        long read;
        try
        {
            read = files.Open(range.Path).Read(range.Start, range.Length, room, start + range.Place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            throw new CheckpointException(range.Path, range.Tensor, $"tensor {range.Tensor} cannot be read any more ({e.Message.TrimEnd('.')})", e);
        }

        if (range.Start + read >= range.End) return;
        throw new CheckpointException(range.Path, range.Tensor,
            $"the bytes from {range.Tensor} on reach to {range.End}, but the file now ends at byte {range.Start + read}: it was cut short while it was in use");
    }

    private readonly record struct Range(string Tensor, string Path, long Start, long Length, long End, long Place);
}
