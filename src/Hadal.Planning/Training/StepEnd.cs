using Hadal.Parallel.Schedules;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Seconds between the last backward and the next forward: gradients are summed over replicas, the optimizer runs, new weights go out.</summary>
internal static class StepEnd
{
    /// <summary>The slowest rank's.</summary>
    /// <remarks>
    /// Every device sends its FP32 gradients to the devices that own their weights, and gets BF16 weights back: (n − 1) / n of 6 bytes a weight for n replicas. Weights that lie on every
    /// device of a node are summed inside the node first, so that only one part in eight crosses the network. The update reads and writes the owned weights' 8 bytes and reads all gradients.
    /// </remarks>
    public static double Seconds(TrainingPlan plan, StageLayout layout, IReadOnlyList<StageContent> stages) => Enumerable.Range(0, layout.Ranks).Max(r => Seconds(plan, layout, stages, r));

    private static double Seconds(TrainingPlan plan, StageLayout layout, IReadOnlyList<StageContent> stages, int rank)
    {
        var cluster = plan.Cluster;
        var (common, experts) = TrainingMemory.WeightsOf(plan, layout, stages, rank);
        double replicas = plan.Layout.DataParallel * layout.Copies, expertReplicas = replicas / plan.Layout.Experts;
        double bytes = 6 * common, node = Math.Min(cluster.DevicesPerNode, plan.Layout.DataParallel), nodes = replicas / node;
        double within = bytes * (node - 1) / node / (cluster.NodeGbPerS * 1e9), across = nodes > 1 ? bytes / node * (nodes - 1) / nodes / (cluster.NetworkGbPerS * 1e9) : 0;
        double ofExperts = expertReplicas > 1 ? 6 * experts * (expertReplicas - 1) / expertReplicas / (cluster.NetworkGbPerS * 1e9) : 0;
        double owned = plan.Layout.ShardOptimizer ? common / replicas + experts / expertReplicas : common + experts;
        double update = (4 * (common + experts) + 2 * 8 * owned) / (cluster.MemoryReachedGbPerS * 1e9);
        return within + across + ofExperts + update;
    }
}
