using System.Buffers;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>A range of rows of a tensor of a GGUF file: the whole of it, or one expert of a stack.</summary>
internal sealed class GgufRows(GgufFile file, GgufTensor tensor, string name, long firstRow, Shape shape) : StoredTensor
{
    public override CheckpointTensor Description =>
        new(name, tensor.Type.Element, shape, System.IO.Path.GetFileName(file.Path)) { Blocks = tensor.Type.Blocks };

    public override string Path => file.Path;

    public override TensorPlace? Place => new(file.Path, tensor.Offset + firstRow * tensor.RowBytes, shape.Rows * tensor.RowBytes);

    public override void Read(long first, Span<float> destination) => file.Read(tensor, firstRow + first, destination);

    public override Tensor View()
    {
        if (tensor.Type.Blocks is not null)
            throw new CheckpointException(Path, name, $"tensor {name} is stored in blocks ({tensor.Type.Name}); its elements can be copied but not used in place");
        if ((tensor.Offset + firstRow * tensor.RowBytes) % tensor.Type.Element.SizeOf() != 0)
            throw new CheckpointException(Path, name, $"tensor {name} does not start at a multiple of its element size; it can be copied but not used in place");
        return file.View(tensor, firstRow, shape);
    }

    public override Tensor Blocks() => tensor.Type.Blocks is null
        ? base.Blocks()
        : file.View(tensor, firstRow, shape.Rank == 3 ? new Shape(shape[0], shape[1], tensor.RowBytes) : new Shape(shape.Rows, tensor.RowBytes));
}

/// <summary><c>kv_b_proj</c> [heads · (nope + value), latent] put together again: per head the key rows, which the file has turned over, then the value rows.</summary>
internal sealed class GgufLatentUp(GgufFile keyFile, GgufTensor keys, GgufFile valueFile, GgufTensor values, string name, Shape shape) : StoredTensor
{
    private readonly int _nope = (int)keys.Shape.Columns, _value = (int)values.Shape[1], _rank = (int)shape.Columns;

    // The wider of the two, so that nothing is lost; blocks become FP32.
    public override CheckpointTensor Description => new(name, Both(DType.BF16) ? DType.BF16 : Both(DType.F16) ? DType.F16 : DType.F32, shape, System.IO.Path.GetFileName(keyFile.Path));

    public override string Path => keyFile.Path;

    public override void Read(long firstRow, Span<float> destination)
    {
        long last = firstRow + destination.Length / _rank;
        float[]? rented = null;
        try
        {
            for (long row = firstRow; row < last;)
            {
                long head = row / (_nope + _value);
                int place = (int)(row % (_nope + _value));
                var target = destination[(int)((row - firstRow) * _rank)..];
                if (place < _nope)
                {
                    rented ??= ArrayPool<float>.Shared.Rent(checked(_rank * _nope));
                    int count = (int)Math.Min(_nope - place, last - row);
                    ReadKeys(head, place, count, rented.AsSpan(0, _rank * _nope), target);
                    row += count;
                }
                else
                {
                    int count = (int)Math.Min(_nope + _value - place, last - row);
                    valueFile.Read(values, head * _value + place - _nope, target[..(count * _rank)]);
                    row += count;
                }
            }
        }
        finally
        {
            if (rented is not null) ArrayPool<float>.Shared.Return(rented);
        }
    }

    public override Tensor View() =>
        throw new CheckpointException(Path, name, $"tensor {name} is put together from {keys.Name} and {values.Name}; it can be copied but not used in place");

    private void ReadKeys(long head, int first, int count, Span<float> turned, Span<float> target)
    {
        keyFile.Read(keys, head * _rank, turned);
        for (int i = 0; i < count; i++)
        {
            for (int c = 0; c < _rank; c++) target[i * _rank + c] = turned[c * _nope + first + i];
        }
    }

    private bool Both(DType type) => keys.Type.Element == type && values.Type.Element == type;
}

/// <summary>A router bias that the file leaves out: zero.</summary>
internal sealed class GgufZeros(string path, string name, Shape shape) : StoredTensor
{
    public override CheckpointTensor Description => new(name, DType.F32, shape, System.IO.Path.GetFileName(path));

    public override string Path => path;

    public override void Read(long firstRow, Span<float> destination) => destination.Clear();

    public override Tensor View() => throw new CheckpointException(Path, name, $"tensor {name} is not in the file; it stands for zeros and cannot be used in place");
}
