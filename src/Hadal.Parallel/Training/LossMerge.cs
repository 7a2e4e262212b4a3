using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Layout;
using Hadal.Training.Model;

namespace Hadal.Parallel.Training;

/// <summary>Sums losses over all ranks: along each pipeline, then over the pipelines.</summary>
internal static class LossMerge
{
    public static void Sum(RankGroups groups, IBackend backend, BatchLosses losses)
    {
        int modules = losses.MtpSums.Length;
        var sums = new double[1 + modules + losses.BalanceSums.Length];
        var counts = new long[2 * modules];
        sums[0] = losses.MainSum;
        losses.MtpSums.CopyTo(sums, 1);
        losses.BalanceSums.CopyTo(sums, 1 + modules);
        losses.MtpCounts.CopyTo(counts, 0);
        losses.Accepted.CopyTo(counts, modules);
        foreach (var group in new[] { groups.Pipeline, groups.Peers })
        {
            group.AllReduce(backend, sums.AsSpan());
            group.AllReduce(backend, counts.AsSpan());
        }

        losses.MainSum = sums[0];
        sums.AsSpan(1, modules).CopyTo(losses.MtpSums);
        sums.AsSpan(1 + modules).CopyTo(losses.BalanceSums);
        counts.AsSpan(0, modules).CopyTo(losses.MtpCounts);
        counts.AsSpan(modules).CopyTo(losses.Accepted);
    }
}
