using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How it is stored.</param>
/// <param name="Shape">Its dimensions, outermost first (the file has them the other way round).</param>
/// <param name="Offset">Where it starts, in bytes from the start of the file.</param>
internal sealed record GgufTensor(string Name, GgufTensorType Type, Shape Shape, long Offset)
{
    public long RowBytes => Type.RowBytes(Shape.Columns);

    public long ByteLength => checked(Shape.Rows * RowBytes);
}
