using Hadal.Numerics;
using Hadal.Training.Activations;

namespace Hadal.Training.Precision;

/// <summary>How precisely a run computes: one word in the run file.</summary>
/// <remarks>
/// Whatever the policy, master weights, gradients and their sums, norms, routing and softmax are FP32, and so are results of products. Below FP32 the products of attention are
/// bfloat16. With <c>fp8</c> the three products of every linear layer in a block have E4M3 operands (report section 3.3): activations and gradients in tiles of 1×128 along the
/// inner dimension, which for weight
/// gradients are 128 tokens of a channel, weights in blocks of 128×128; sums go to FP32 every 128. What is sent to experts has scales that are powers of two. Output head and
/// the projection of MTP modules are bfloat16 then, and so are AdamW's moments.
/// </remarks>
public sealed class PrecisionPolicy
{
    private static readonly OperandCoding _activations = OperandCoding.Activations, _weights = OperandCoding.Weights;
    private static readonly OperandCoding _tensor = new(CodedNumber.E4M3, ScaleTile.Tensor), _e5m2 = new(CodedNumber.E5M2, ScaleTile.Row);
    private static readonly LinearPrecision _bfloat16 = new CodedLinear(ProductCoding.BFloat16, ProductCoding.BFloat16, ProductCoding.BFloat16);
    private readonly LinearPrecision _block, _outer, _attentionOutput, _expertUp, _expertDown;

    private PrecisionPolicy(string name, string description, LinearPrecision products, ActivationForms forms)
    {
        (Name, Description, Forms) = (name, description, forms);
        _block = _outer = _attentionOutput = _expertUp = _expertDown = products;
    }

    // FP8, from how activations, weights and gradients are rounded.
    private PrecisionPolicy(string name, string description, OperandCoding activations, OperandCoding weights, OperandCoding gradients, Accumulation accumulation = Accumulation.Full)
        : this(name, description, _bfloat16, ActivationForms.Fp8)
    {
        var powers = activations with { PowerOfTwoScales = true };
        _block = Linear(activations, activations, gradients);
        _attentionOutput = Linear(activations, powers, gradients);
        _expertUp = Linear(powers, powers, gradients);
        _expertDown = Linear(activations, activations, gradients with { PowerOfTwoScales = true });
        HasShortMoments = true;

        CodedLinear Linear(OperandCoding input, OperandCoding keptInput, OperandCoding gradient) => new(
            new ProductCoding(input, weights, accumulation), new ProductCoding(gradient, weights, accumulation), new ProductCoding(gradient, keptInput, accumulation));
    }

    /// <summary>Everything in FP32.</summary>
    public static PrecisionPolicy Full { get; } = new("fp32", "everything in FP32", LinearPrecision.Full, ActivationForms.Full);

    /// <summary>Products of bfloat16.</summary>
    public static PrecisionPolicy BFloat16 { get; } = new("bf16", "products with weights of bfloat16 operands, summed in FP32", _bfloat16, ActivationForms.BFloat16);

    /// <summary>The report's FP8.</summary>
    public static PrecisionPolicy Fp8 { get; } = new(
        "fp8", "products of E4M3 operands, activations and gradients in 1×128 tiles, weights in 128×128 blocks (report section 3.3)", _activations, _weights, _activations);

    /// <summary>All policies: the three that runs use, then those that show what the report's choices are worth.</summary>
    public static IReadOnlyList<PrecisionPolicy> All { get; } =
    [
        Full,
        BFloat16,
        Fp8,
        new("fp8-tensor", "for study: one scale per tensor", _tensor, _tensor, _tensor),
        new("fp8-block-gradients", "for study: gradients in 128×128 blocks, which diverged in the report (appendix B.2)", _activations, _weights, _weights),
        new("fp8-e5m2-gradients", "for study: gradients of E5M2", _activations, _weights, _e5m2),
        new("fp8-14-bit-sums", "for study: sums cut to 14 bits every 32 products and never promoted (report section 3.3.2)", _activations, _weights, _activations, Accumulation.Bits14),
    ];

    /// <summary>The word in the run file.</summary>
    public string Name { get; }

    /// <summary>What it does, in a line.</summary>
    public string Description { get; }

    /// <summary>How activations are kept.</summary>
    internal ActivationForms Forms { get; }

    /// <summary>Whether AdamW's moments are bfloat16 unless the run file says otherwise.</summary>
    internal bool HasShortMoments { get; }

    /// <summary>Looks a policy up.</summary>
    /// <param name="name">Its word.</param>
    /// <returns>The policy; null if there is none of that name.</returns>
    public static PrecisionPolicy? Find(string name) => All.FirstOrDefault(p => p.Name == name);

    /// <summary>How products of a role are computed.</summary>
    internal LinearPrecision Of(LinearRole role) => role switch
    {
        LinearRole.Block => _block,
        LinearRole.AttentionOutput => _attentionOutput,
        LinearRole.ExpertUp => _expertUp,
        LinearRole.ExpertDown => _expertDown,
        LinearRole.Outer => _outer,
        _ => LinearPrecision.Full,
    };
}
