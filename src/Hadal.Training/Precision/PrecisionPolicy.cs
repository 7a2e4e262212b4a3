using Hadal.Numerics;

namespace Hadal.Training.Precision;

/// <summary>How precisely a run computes: one word in the run file.</summary>
/// <remarks>
/// Whatever the policy, master weights, gradients and their sums, norms, routing, softmax and attention are FP32, and so are results of products. With <c>fp8</c> the three
/// products of every linear layer in a block have E4M3 operands (report section 3.3): activations and gradients in tiles of 1×128 along the inner dimension, which for weight
/// gradients are 128 tokens of a channel, weights in blocks of 128×128; sums go to FP32 every 128. Output head and the projection of MTP modules are bfloat16 then.
/// </remarks>
public sealed class PrecisionPolicy
{
    private static readonly OperandCoding _activations = OperandCoding.Activations, _weights = OperandCoding.Weights;
    private static readonly OperandCoding _tensor = new(CodedNumber.E4M3, ScaleTile.Tensor), _e5m2 = new(CodedNumber.E5M2, ScaleTile.Row);
    private static readonly LinearPrecision _bfloat16 = new CodedLinear(ProductCoding.BFloat16, ProductCoding.BFloat16, ProductCoding.BFloat16);
    private readonly LinearPrecision _block, _outer;

    private PrecisionPolicy(string name, string description, LinearPrecision block, LinearPrecision outer) => (Name, Description, _block, _outer) = (name, description, block, outer);

    private PrecisionPolicy(string name, string description, ProductCoding forward, ProductCoding inputGradient, ProductCoding weightGradient)
        : this(name, description, new CodedLinear(forward, inputGradient, weightGradient), _bfloat16)
    {
    }

    /// <summary>Everything in FP32.</summary>
    public static PrecisionPolicy Full { get; } = new("fp32", "everything in FP32", LinearPrecision.Full, LinearPrecision.Full);

    /// <summary>Products of bfloat16.</summary>
    public static PrecisionPolicy BFloat16 { get; } = new("bf16", "products with weights of bfloat16 operands, summed in FP32", _bfloat16, _bfloat16);

    /// <summary>The report's FP8.</summary>
    public static PrecisionPolicy Fp8 { get; } = new(
        "fp8", "products of E4M3 operands, activations and gradients in 1×128 tiles, weights in 128×128 blocks (report section 3.3)",
        new(_activations, _weights), new(_activations, _weights), new(_activations, _activations));

    /// <summary>All policies: the three that runs use, then those that show what the report's choices are worth.</summary>
    public static IReadOnlyList<PrecisionPolicy> All { get; } =
    [
        Full,
        BFloat16,
        Fp8,
        new("fp8-tensor", "for study: one scale per tensor", new(_tensor, _tensor), new(_tensor, _tensor), new(_tensor, _tensor)),
        new("fp8-block-gradients", "for study: gradients in 128×128 blocks, which diverged in the report (appendix B.2)", new(_activations, _weights), new(_weights, _weights), new(_weights, _activations)),
        new("fp8-e5m2-gradients", "for study: gradients of E5M2", new(_activations, _weights), new(_e5m2, _weights), new(_e5m2, _activations)),
    ];

    /// <summary>The word in the run file.</summary>
    public string Name { get; }

    /// <summary>What it does, in a line.</summary>
    public string Description { get; }

    /// <summary>Looks a policy up.</summary>
    /// <param name="name">Its word.</param>
    /// <returns>The policy; null if there is none of that name.</returns>
    public static PrecisionPolicy? Find(string name) => All.FirstOrDefault(p => p.Name == name);

    /// <summary>How products of a role are computed.</summary>
    internal LinearPrecision Of(LinearRole role) => role switch
    {
        LinearRole.Block => _block,
        LinearRole.Outer => _outer,
        _ => LinearPrecision.Full,
    };
}
