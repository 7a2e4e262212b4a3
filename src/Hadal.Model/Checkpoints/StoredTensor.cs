using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor of a checkpoint together with the way to its elements.</summary>
internal abstract class StoredTensor
{
    /// <summary>What a reader of the checkpoint sees.</summary>
    public abstract CheckpointTensor Description { get; }

    /// <summary>The file, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>Where the elements lie, in their type and without gaps; null if they lie otherwise.</summary>
    public virtual TensorPlace? Place => null;

    public DType Type => Description.Type;

    public Shape Shape => Description.Shape;

    /// <summary>Whole rows, widened to FP32; FP8 codes without their scales.</summary>
    public abstract void Read(long firstRow, Span<float> destination);

    /// <summary>The elements where they lie.</summary>
    /// <exception cref="CheckpointException">They can only be copied.</exception>
    public abstract Tensor View();

    /// <summary>The blocks where they lie, U8 [rows, bytes of a row]; for a tensor of three dimensions the first two keep their lengths.</summary>
    /// <exception cref="CheckpointException">There are no blocks.</exception>
    public virtual Tensor Blocks() => throw new CheckpointException(Path, Description.Name, $"tensor {Description.Name} is {Description.TypeName} and not stored in blocks");

    /// <summary>A tensor of a safetensors file.</summary>
    public sealed class OfSafetensors(SafetensorsFile file, SafetensorsTensor tensor) : StoredTensor
    {
        public override CheckpointTensor Description { get; } = new(tensor.Name, tensor.Type, tensor.Shape, System.IO.Path.GetFileName(file.Path));

        public override string Path => file.Path;

        public override TensorPlace? Place => new(file.Path, tensor.Offset, tensor.ByteLength);

        public override void Read(long firstRow, Span<float> destination) => file.Read(tensor, firstRow * tensor.Shape.Columns, destination);

        public override Tensor View() => file.View(tensor.Name);
    }
}
