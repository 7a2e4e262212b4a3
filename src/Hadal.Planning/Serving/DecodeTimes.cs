using Hadal.Planning.Models;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Serving;

/// <summary>Seconds of decoding: each part reads its weights and its cache, or computes, whichever takes longer; two micro-batches hide each other's movements (section 12 of the specification).</summary>
internal sealed class DecodeTimes(ServingPlan plan)
{
    /// <summary>Routed experts on a device, copies included, at least one.</summary>
    public double HostedExperts => plan.Model.RoutedExperts == 0 ? 0 : Math.Ceiling((plan.Model.RoutedExperts + plan.Decode.RedundantExperts) / (double)plan.Decode.Devices);

    /// <summary>Bytes of weights on a device: FP8, embedding and head in BF16.</summary>
    public double WeightBytes
    {
        get
        {
            var c = plan.Model;
            double layers = 0;
            for (int l = 0; l < c.Layers; l++)
                layers += LayerWork.AttentionWeights(c) + (c.IsMixtureOfExperts(l) ? LayerWork.SharedWeights(c) + HostedExperts * LayerWork.ExpertWeights(c) : LayerWork.DenseWeights(c));
            return layers + 2 * 2 * LayerWork.VocabularyWeights(c);
        }
    }

    /// <summary>Tokens whose latents fit beside the weights, BF16.</summary>
    public double CacheTokens => Math.Max(0, plan.Cluster.MemoryBytes - plan.ReservedBytes - WeightBytes) / plan.Model.CacheBytesPerToken;

    /// <summary>Compute of one layer for one micro-batch.</summary>
    /// <param name="experts">A layer with experts.</param>
    /// <param name="tokens">Requests of the micro-batch.</param>
    public double Compute(bool experts, double tokens)
    {
        var c = plan.Model;
        double core = Longer(tokens * plan.Context * 2 * c.CacheWidth, tokens * plan.Context * 2 * c.Heads * (c.CacheWidth + c.LatentRank), plan.Cluster.Bf16ReachedTflops);
        double mlpWeights = experts ? HostedExperts * LayerWork.ExpertWeights(c) + LayerWork.SharedWeights(c) : LayerWork.DenseWeights(c);
        return core + Product(LayerWork.AttentionWeights(c), LayerWork.AttentionWeights(c), tokens) + Product(mlpWeights, LayerWork.ActiveMlpWeights(c, experts), tokens);
    }

    /// <summary>Dispatch and combine of one layer for one micro-batch: a copy for each expert, FP8 there and BF16 back.</summary>
    public double Movements(double tokens) => plan.Decode.Devices == 1 ? 0
        : tokens * plan.Model.ExpertsPerToken * (LayerWork.DispatchBytes(plan.Model, fp8: true) + LayerWork.CombineBytes(plan.Model)) / (plan.LowLatencyGbPerS * 1e9);

    /// <summary>Seconds between two tokens with so many requests on a device, in two micro-batches that hide each other's movements.</summary>
    public double SecondsPerToken(double requests) => Head(requests) + Layers(experts => 2 * Math.Max(Compute(experts, requests / 2), experts ? Movements(requests / 2) : 0));

    /// <summary>Seconds between two tokens of a request that is alone on its device: nothing hides anything.</summary>
    public double Floor() => Head(1) + Layers(experts => Compute(experts, 1) + (experts ? Movements(1) : 0));

    private double Head(double requests) => Longer(2 * LayerWork.VocabularyWeights(plan.Model), 2 * requests * LayerWork.VocabularyWeights(plan.Model), plan.Cluster.Bf16ReachedTflops);

    private double Layers(Func<bool, double> seconds) =>
        plan.Model.ExpertLayers * seconds(true) + (plan.Model.Layers - plan.Model.ExpertLayers) * seconds(false);

    private double Product(double weights, double active, double tokens) => Longer(weights, 2 * tokens * active, plan.Cluster.Fp8ReachedTflops);

    private double Longer(double bytes, double operations, double tflops) => Math.Max(bytes / (plan.Cluster.MemoryReachedGbPerS * 1e9), operations / (tflops * 1e12));
}
