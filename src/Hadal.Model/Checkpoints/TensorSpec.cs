using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor that a checkpoint of some configuration has.</summary>
/// <param name="Name">Its Hugging Face name.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Type">Type in which a checkpoint of the configuration stores it.</param>
/// <param name="Shape">Its shape; matrices are [outputs, inputs].</param>
/// <param name="Layer">Its layer, counting MTP modules on from the last one; -1 outside the layers.</param>
/// <param name="Expert">Its routed expert; -1 if it belongs to none.</param>
/// <param name="CopyOf">For a copy inside an MTP module, the tensor it repeats; else null.</param>
public sealed record TensorSpec(string Name, TensorRole Role, DType Type, Shape Shape, int Layer = -1, int Expert = -1, string? CopyOf = null)
{
    /// <summary>Behind the name of an FP8 weight, the name of its scales. They multiply, despite the name.</summary>
    public const string ScaleSuffix = "_scale_inv";

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>Bytes of the elements in <see cref="Type"/>.</summary>
    public long ByteLength => checked(Shape.Count * Type.SizeOf());

    /// <summary>True for block scales, which describe another tensor.</summary>
    public bool IsScale => Role == TensorRole.BlockScales;

    /// <summary>True for numbers of the model's own: neither scales nor copies.</summary>
    public bool IsParameter => !IsScale && CopyOf is null;
}
