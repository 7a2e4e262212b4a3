using Hadal.Model.Configuration;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Bytes that a layer keeps for its backward, per token.</summary>
/// <remarks>
/// In FP8 runs inputs of linear layers and of SwiGLU are kept in E4M3 with a scale for 128 values, the input of the projection behind attention in 12 bits (report section 3.3.3);
/// everything else in BF16. What was dispatched to a device's experts is kept once for each expert, since sending it again would cost more.
/// </remarks>
internal static class ActivationBytes
{
    /// <summary>Of a chunk of a stage.</summary>
    public static double OfChunk(TrainingPlan plan, StageContent stage) => plan.MicroBatchTokens * stage.Experts.Sum(e => OfLayer(plan, e));

    /// <summary>What whole-layer recomputation needs for the layer in work, beside the inputs that are kept.</summary>
    public static double OfOneLayerInWork(TrainingPlan plan) =>
        plan.Layout.Recompute == Recomputation.Layers ? plan.MicroBatchTokens * OfLayer(plan with { Layout = plan.Layout with { Recompute = Recomputation.None } }, true) : 0;

    private static double OfLayer(TrainingPlan plan, bool experts)
    {
        ModelConfig c = plan.Model;
        double residual = 2.0 * c.HiddenSize;
        if (plan.Layout.Recompute == Recomputation.Layers) return residual;
        bool fp8 = plan.Layout.Precision == TrainingPrecision.Fp8, all = plan.Layout.Recompute == Recomputation.None;
        double coded = fp8 ? 1 + 4.0 / 128 : 2, behindAttention = fp8 ? 1.5 + 4.0 / 128 : 2;
        double attention = residual + 2 * ((c.QueryLatentRank ?? c.Heads * c.QueryHeadWidth) + c.CacheWidth) + behindAttention * c.Heads * c.ValueWidth + 4.0 * c.Heads;
        if (all) attention += coded * c.HiddenSize + 2.0 * c.Heads * (2 * c.QueryHeadWidth + c.ValueWidth);
        double inner = experts ? (double)c.ExpertsPerToken * c.ExpertWidth + c.SharedWidth : c.DenseWidth;
        double mlp = residual + coded * 2 * inner + (experts ? coded * c.HiddenSize * (c.ExpertsPerToken + (c.SharedExperts > 0 ? 1 : 0)) + 4.0 * c.RoutedExperts : 0);
        if (all) mlp += coded * (inner + (experts ? 0 : c.HiddenSize));
        return attention + mlp;
    }
}
