using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>How a checkpoint is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>Whether to load the MTP module, if the checkpoint has one. Without it there is no speculation, and a layer's memory is saved.</summary>
    public bool Mtp { get; init; } = true;

    /// <summary>The format in which weights are held; null for the one in which each is stored (FP8 weights: activations stay bfloat16).</summary>
    /// <remarks>
    /// The router stays FP32 whatever this says. With <see cref="WeightFormat.FourBit"/> the head and the key-value up-projection are held in eight bits: they are
    /// a small share of the weights and a large one of the error.
    /// </remarks>
    public WeightFormat? Weights { get; init; }
}
