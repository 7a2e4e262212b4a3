namespace Hadal.Numerics;

/// <summary>Which values of an operand share a scale, max(amax, 1e-4) / largest value of the code (report section 3.3.2).</summary>
public enum ScaleTile
{
    /// <summary>No scales.</summary>
    None,

    /// <summary>128 values of a row along the inner dimension: 1×128 for activations, which in a weight gradient is 128 tokens of a channel.</summary>
    Row,

    /// <summary>128 rows by 128 of the inner dimension: weights.</summary>
    Block,

    /// <summary>The whole operand.</summary>
    Tensor,
}
