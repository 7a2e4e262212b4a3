using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor that a checkpoint has.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type; U8 for a tensor that is stored in blocks (see <see cref="Blocks"/>).</param>
/// <param name="Shape">Dimensions, counted in elements also for blocks.</param>
/// <param name="File">Name of the file that holds it, without the folder.</param>
public sealed record CheckpointTensor(string Name, DType Type, Shape Shape, string File)
{
    /// <summary>The block format of a tensor of a GGUF file; null if it is stored element by element.</summary>
    public BlockFormat? Blocks { get; init; }

    /// <summary>Bytes that it takes in the file.</summary>
    public long ByteLength => Blocks is { } format ? checked(Shape.Rows * format.BytesFor(Shape.Columns)) : checked(Shape.Count * Type.SizeOf());

    /// <summary>What its type is called: <c>BF16</c>, <c>F8_E4M3</c>, <c>Q4_K</c>.</summary>
    public string TypeName => Blocks?.Name() ?? Type.SafetensorsName();
}
