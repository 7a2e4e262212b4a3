using Hadal.Planning.Plans;
using Hadal.Planning.Training;

namespace Hadal.Planning.Serving;

/// <summary>What a serving forecast rests on.</summary>
public static class ServingAssumptions
{
    /// <summary>Lists it.</summary>
    /// <param name="plan">The plan.</param>
    /// <returns>In the order in which it enters.</returns>
    public static IReadOnlyList<Assumption> Of(ServingPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var c = plan.Cluster;
        string N(double number) => FormattableString.Invariant($"{number:0.###}");
        return
        [
            new("prompts: attention and MLP of a layer, 4096 tokens", $"{N(c.LayerMilliseconds.AttentionForward)} and {N(c.LayerMilliseconds.MlpForward)} ms", "published training trace, forward; movements hide behind the other micro-batch"),
            new("prompts: dispatch and combine", "58 and 57 GB/s", "DeepEP, normal kernels over 32 devices"),
            new("prompts found in a cache", Share(plan.CachedShare), "open-infra-index, day 6"),
            new("context behind a decoded token", $"{N(plan.Context)} tokens", "open-infra-index, day 6"),
            new("a request gets at least", $"{N(plan.TokensPerSecondPerRequest)} tokens/s", "open-infra-index, day 6: 20 to 22"),
            new("decoding: products", $"weights at {N(c.MemoryReachedGbPerS)} GB/s, or {N(c.Fp8ReachedTflops)} TFLOPS in FP8, whichever takes longer", "FlashMLA and DeepGEMM"),
            new("decoding: attention", $"latents at {N(c.MemoryReachedGbPerS)} GB/s, or {N(c.Bf16ReachedTflops)} TFLOPS in BF16", "FlashMLA"),
            new("decoding: dispatch and combine", $"{N(plan.LowLatencyGbPerS)} GB/s", "DeepEP, low-latency kernels over 128 devices"),
            new("decoding: memory without weights and cache", $"{N(plan.ReservedBytes / 1e9)} GB", "assumed"),
            new("experts' load", "balanced", "assumed; copies of busy experts are there for that"),
            new("MTP drafts", "not counted", "assumed; accepted drafts would come on top"),
            new("limit of the network", $"{plan.LimitTokens} tokens a micro-batch, one byte there and two back, {N(c.NetworkGbPerS)} GB/s, every layer", "\"Insights into DeepSeek-V3\""),
        ];
    }

    private static string Share(double share) => FormattableString.Invariant($"{share * 100:0.#}%");
}
