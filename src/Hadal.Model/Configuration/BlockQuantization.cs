namespace Hadal.Model.Configuration;

/// <summary>FP8 weights with one scale for each block (<c>quantization_config</c> with <c>quant_method</c> <c>fp8</c>).</summary>
/// <remarks>A weight is code × scale; the scales of <c>x.weight</c> are the tensor <c>x.weight_scale_inv</c>, [⌈rows/block⌉, ⌈columns/block⌉] in
/// FP32.</remarks>
public sealed record BlockQuantization
{
    /// <summary>Rows of a block.</summary>
    public int BlockRows { get; init; } = 128;

    /// <summary>Columns of a block.</summary>
    public int BlockColumns { get; init; } = 128;

    /// <summary>True if every scale is a power of two (<c>scale_fmt</c> <c>ue8m0</c>, DeepSeek-V3.1). They may be stored as F32 or as F8_E8M0.</summary>
    public bool PowerOfTwoScales { get; init; }
}
