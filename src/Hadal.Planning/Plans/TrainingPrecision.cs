namespace Hadal.Planning.Plans;

/// <summary>Numbers in which the products of a training run are computed.</summary>
public enum TrainingPrecision
{
    /// <summary>FP8 products and dispatch, kept activations in FP8 (report section 3.3).</summary>
    Fp8,

    /// <summary>BF16 products, dispatch and kept activations.</summary>
    Bf16,
}
