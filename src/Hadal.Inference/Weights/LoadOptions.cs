using Hadal.Inference.Experts;
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

    /// <summary>Bytes of memory that the model may take in all, or null for as much as it needs. With a limit only as many routed experts are kept as fit beside
    /// everything else (other weights, latent cache, scratch, <see cref="ExpertBudget.Runtime"/> for the runtime); the others are read from the files when they are
    /// needed.</summary>
    public long? Memory { get; init; }

    /// <summary>What happens to routed experts under <see cref="Memory"/>.</summary>
    public ExpertPolicy Experts { get; init; } = ExpertPolicy.Cached;

    /// <summary>Threads that read and arrange experts under <see cref="Memory"/>, and so reads that are under way at once; 0 for what suits the machine.</summary>
    public int ExpertReaders { get; init; }

    /// <summary>Whether to read experts under <see cref="Memory"/> before the first step until the memory left to them is full. Not with <see cref="Lazy"/>.</summary>
    public bool WarmExperts { get; init; }

    /// <summary>Whether to return before the weights are there: they are loaded in the order of the computation in the background, and a step waits for those it needs.
    /// What goes wrong later is thrown by the step.</summary>
    public bool Lazy { get; init; }

    /// <summary>Whether to keep weights in physical memory, so that the system never swaps them out.</summary>
    public bool Lock { get; init; }
}
