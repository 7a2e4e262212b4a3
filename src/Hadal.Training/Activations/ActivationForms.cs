using Hadal.Numerics;

namespace Hadal.Training.Activations;

/// <summary>In which form each kind of activation waits for the backward; null is FP32 as it is.</summary>
/// <param name="LinearInput">Inputs of linear layers in a block: norm outputs, activated hidden units.</param>
/// <param name="Dispatched">The input of an expert layer, which is what is sent to the experts.</param>
/// <param name="AttentionOutput">The input of the product behind attention.</param>
/// <param name="GatedInput">Inputs of SwiGLU. Where they are coded, its output is computed again in the backward instead of being kept.</param>
/// <param name="AttentionOperand">Queries, keys and values. Where they are coded, attention itself sees the coded values, so that the backward finds the same softmax, and its products are bfloat16.</param>
/// <param name="OuterInput">The input of the projection of an MTP module.</param>
internal sealed record ActivationForms(
    OperandCoding? LinearInput, OperandCoding? Dispatched, OperandCoding? AttentionOutput, OperandCoding? GatedInput, OperandCoding? AttentionOperand, OperandCoding? OuterInput)
{
    /// <summary>Everything in FP32.</summary>
    public static ActivationForms Full { get; } = new(null, null, null, null, null, null);

    /// <summary>Everything in bfloat16, which for inputs of bfloat16 products loses nothing.</summary>
    public static ActivationForms BFloat16 { get; } = Of(OperandCoding.BFloat16, OperandCoding.BFloat16, OperandCoding.BFloat16);

    /// <summary>The report's (section 3.3.3): E4M3 in tiles of 1×128; with scales of powers of two for what is sent to experts and what SwiGLU is computed again from; E5M6 behind attention.</summary>
    public static ActivationForms Fp8 { get; } = Of(
        OperandCoding.Activations, OperandCoding.Activations with { PowerOfTwoScales = true }, new OperandCoding(CodedNumber.E5M6, ScaleTile.Row, PowerOfTwoScales: true));

    private static ActivationForms Of(OperandCoding linear, OperandCoding powers, OperandCoding attention) => new(linear, powers, attention, powers, OperandCoding.BFloat16, OperandCoding.BFloat16);
}
