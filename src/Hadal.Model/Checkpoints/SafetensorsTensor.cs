using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions, at most four.</param>
/// <param name="Offset">Where its first element starts, in bytes from the start of the file.</param>
public sealed record SafetensorsTensor(string Name, DType Type, Shape Shape, long Offset)
{
    /// <summary>Number of bytes.</summary>
    public long ByteLength => checked(Shape.Count * Type.SizeOf());

    /// <summary>True if the first element starts at a multiple of the element size, so that the tensor can be used where it lies.</summary>
    public bool IsAligned => Offset % Type.SizeOf() == 0;
}
