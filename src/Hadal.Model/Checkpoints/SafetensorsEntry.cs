using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor that a safetensors file is going to have.</summary>
/// <param name="Name">Its name; not <c>__metadata__</c>.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions.</param>
public sealed record SafetensorsEntry(string Name, DType Type, Shape Shape)
{
    /// <summary>Number of bytes.</summary>
    public long ByteLength => checked(Shape.Count * Type.SizeOf());
}
