namespace Hadal.Planning.Clusters;

/// <summary>
/// Milliseconds that the parts of one layer with experts take where they were measured: a layer of DeepSeek-V3, 4096 tokens on a device, FP8, experts over 64 H800. The planner scales them
/// to other layers by operations and bytes, and to other devices by their peak rates.
/// </summary>
/// <remarks>
/// The ordinary values are of DeepSeek's published training trace (profile-data, <c>train.json</c>, an overlapped forward and backward of four layers): the middle of the range that each
/// kernel has over the four layers, and for the second stream of the weight gradients what is left of the 124.3 ms in which the compute streams are busy. The gradient of the combine is a
/// dispatch and the reverse; names here say what moves.
/// </remarks>
public sealed record LayerTimes
{
    /// <summary>Compute streams busy in the trace's pair, milliseconds.</summary>
    internal const double TraceBusy = 124.3;

    /// <summary>Layers of the trace's pair.</summary>
    internal const int TraceLayers = 4;

    /// <summary>Attention forward: 4.3 to 4.5.</summary>
    public double AttentionForward { get; init; } = 4.4;

    /// <summary>MLP forward, router and shared expert included: 4.3 to 5.2.</summary>
    public double MlpForward { get; init; } = 4.75;

    /// <summary>MLP backward for inputs: 4.7 to 5.7.</summary>
    public double MlpBackward { get; init; } = 5.2;

    /// <summary>MLP weight gradients: 3.4 to 3.6, and as much of the second stream's 2.3 to 3.6 as is not hidden.</summary>
    public double MlpWeights { get; init; } = TraceBusy / TraceLayers - 4.4 - 4.75 - 5.2 - 9.25 - 2.4;

    /// <summary>Attention backward for inputs, recomputation of norms and up-projections included: 9.0 to 9.5.</summary>
    public double AttentionBackward { get; init; } = 9.25;

    /// <summary>Attention weight gradients.</summary>
    public double AttentionWeights { get; init; } = 2.4;

    /// <summary>Of <see cref="AttentionForward"/>, scores and weighted values.</summary>
    public double CoreForward { get; init; } = 1.25;

    /// <summary>Of <see cref="AttentionBackward"/>, scores and weighted values.</summary>
    public double CoreBackward { get; init; } = 3.8;

    /// <summary>Of <see cref="AttentionBackward"/>, what is computed again: two latent norms 0.04, q_b 0.37, kv_b 0.24, input norm 0.07.</summary>
    public double AttentionRecompute { get; init; } = 0.72;

    /// <summary>Of <see cref="MlpBackward"/>, what is computed again: the norm before the MLP.</summary>
    public double MlpRecompute { get; init; } = 0.13;

    /// <summary>Dispatch of a forward while a backward computes, waiting included: 5.7 to 7.9.</summary>
    public double Dispatch { get; init; } = 6.8;

    /// <summary>Combine of a forward while a backward computes: 7.3 to 9.6.</summary>
    public double Combine { get; init; } = 8.45;

    /// <summary>Dispatch of gradients (the trace calls it combine of the backward) while a forward computes: 4.4 to 7.3.</summary>
    public double GradientDispatch { get; init; } = 5.85;

    /// <summary>Combine of gradients (the trace calls it dispatch of the backward) while a forward computes: 7.3 to 7.9.</summary>
    public double GradientCombine { get; init; } = 7.6;

    /// <summary>A dispatch that nothing computes beside: the shortest in the trace.</summary>
    public double DispatchAlone { get; init; } = 4.6;

    /// <summary>A combine that nothing computes beside: the shortest in the trace.</summary>
    public double CombineAlone { get; init; } = 6.5;

    /// <summary>The first dispatch of gradients of an overlapped pair, which stands alone: the shortest in the trace.</summary>
    public double GradientDispatchAlone { get; init; } = 4.4;

    /// <summary>All of them, by the names that they have in a plan's file.</summary>
    internal IEnumerable<(string Name, double Milliseconds)> Named() =>
    [
        ("attention_forward", AttentionForward), ("mlp_forward", MlpForward), ("mlp_backward", MlpBackward), ("mlp_weights", MlpWeights), ("attention_backward", AttentionBackward),
        ("attention_weights", AttentionWeights), ("core_forward", CoreForward), ("core_backward", CoreBackward), ("attention_recompute", AttentionRecompute), ("mlp_recompute", MlpRecompute), ("dispatch", Dispatch), ("combine", Combine),
        ("gradient_dispatch", GradientDispatch), ("gradient_combine", GradientCombine), ("dispatch_alone", DispatchAlone), ("combine_alone", CombineAlone), ("gradient_dispatch_alone", GradientDispatchAlone),
    ];
}
