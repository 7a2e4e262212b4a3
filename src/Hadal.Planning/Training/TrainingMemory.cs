using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;
using Hadal.Planning.Models;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Bytes of the device of one pipeline rank, by part.</summary>
/// <param name="Weights">BF16, and in FP8 runs the codes that products read.</param>
/// <param name="Gradients">FP32.</param>
/// <param name="Optimizer">FP32 master weights and BF16 moments: 8 bytes a weight, over the devices that share them.</param>
/// <param name="Activations">At most during the step.</param>
/// <param name="Temporary">Logits and their gradient on ranks with the head; experts' inputs and outputs under way; a layer that is computed again.</param>
public sealed record TrainingMemory(double Weights, double Gradients, double Optimizer, double Activations, double Temporary)
{
    /// <summary>All of it.</summary>
    public double Total => Weights + Gradients + Optimizer + Activations + Temporary;

    /// <summary>Parts by the names of the JSON output.</summary>
    /// <returns>Names and bytes.</returns>
    public IEnumerable<(string Name, double Bytes)> Parts() =>
        [("weights", Weights), ("gradients", Gradients), ("optimizer", Optimizer), ("activations", Activations), ("temporary", Temporary)];

    /// <summary>Weights on a device: those that lie on all replicas, and the routed experts that lie on every <see cref="TrainingLayout.Experts"/>th.</summary>
    internal static (double Common, double Experts) WeightsOf(TrainingPlan plan, StageLayout layout, IReadOnlyList<StageContent> stages, int rank)
    {
        var c = plan.Model;
        var (common, experts) = (0.0, 0.0);
        for (int d = 0; d < layout.Directions; d++)
        {
            var stage = stages[layout.Stage(rank, d)];
            common += (stage.Embedding ? LayerWork.VocabularyWeights(c) : 0) + (stage.Heads > 0 ? LayerWork.VocabularyWeights(c) : 0) + stage.MtpModules * LayerWork.MtpProjectionWeights(c);
            foreach (bool e in stage.Experts)
            {
                common += LayerWork.AttentionWeights(c) + (e ? LayerWork.SharedWeights(c) : LayerWork.DenseWeights(c));
                if (e) experts += LayerWork.ExpertWeights(c) * c.RoutedExperts / plan.Layout.Experts;
            }
        }

        // An MTP module reads the embedding: it lies on the same rank in DualPipe and DualPipeV; otherwise the last rank has a copy.
        bool embeddingHere = Enumerable.Range(0, layout.Directions).Any(d => stages[layout.Stage(rank, d)].Embedding);
        if (!embeddingHere && Enumerable.Range(0, layout.Directions).Any(d => stages[layout.Stage(rank, d)].MtpModules > 0)) common += LayerWork.VocabularyWeights(c);
        return (common, experts);
    }

    internal static TrainingMemory Of(TrainingPlan plan, Schedule schedule, IReadOnlyList<StageContent> stages, Timeline timeline, int rank)
    {
        var (layout, c) = (schedule.Layout, plan.Model);
        bool fp8 = plan.Layout.Precision == TrainingPrecision.Fp8;
        var (common, experts) = WeightsOf(plan, layout, stages, rank);
        double replicas = plan.Layout.DataParallel * layout.Copies, expertReplicas = replicas / plan.Layout.Experts;
        double optimizer = plan.Layout.ShardOptimizer ? 8 * (common / replicas + experts / expertReplicas) : 8 * (common + experts);
        bool head = Enumerable.Range(0, layout.Directions).Any(d => stages[layout.Stage(rank, d)].Heads > 0), moves = plan.Layout.Experts > 1;

        // BF16 logits and the FP32 softmax's gradient; two chunks' experts' inputs and outputs in BF16.
        double temporary = (head ? 6.0 * plan.MicroBatchTokens * c.VocabularySize : 0)
            + (moves ? 2 * 2.0 * plan.MicroBatchTokens * c.ExpertsPerToken * c.HiddenSize : 0) + ActivationBytes.OfOneLayerInWork(plan);
        return new TrainingMemory((fp8 ? 3 : 2) * (common + experts), 4 * (common + experts), optimizer, MostKept(plan, layout, stages, timeline.Lanes[rank], rank), temporary);
    }

    /// <summary>The most that the chunks of both directions keep; a chunk that waits for its weight gradient is counted whole.</summary>
    private static double MostKept(TrainingPlan plan, StageLayout layout, IReadOnlyList<StageContent> stages, TimelineLane lane, int rank)
    {
        var bytes = new double[layout.Directions];
        for (int d = 0; d < bytes.Length; d++) bytes[d] = ActivationBytes.OfChunk(plan, stages[layout.Stage(rank, d)]);
        var (now, most) = (0.0, 0.0);
        foreach (var span in lane.Spans)
        {
            if (span.Operation?.Forward is { } begun) most = Math.Max(most, now += bytes[begun.Direction]);
            if (span.Operation?.Weights is { } ended) now -= bytes[ended.Direction];
        }

        return most;
    }
}
