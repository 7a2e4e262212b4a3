using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Gives rows of a tensor in FP32.</summary>
internal delegate void GgufRowSource(long firstRow, int rowCount, Span<float> destination);

/// <summary>A tensor that a GGUF file is going to have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How it is stored.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
/// <param name="Rows">Gives its values.</param>
internal sealed record GgufEntry(string Name, GgufTensorType Type, Shape Shape, GgufRowSource Rows)
{
    public long RowBytes => Type.RowBytes(Shape.Columns);

    public long ByteLength => checked(Shape.Rows * RowBytes);
}
