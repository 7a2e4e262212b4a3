using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Balance;

/// <summary>Σ_e f_e·P_e with f and P taken over each sequence by itself (report equations 17-20).</summary>
internal sealed class SequenceBalanceLoss : IBalanceLoss
{
    public void BeginStep()
    {
        // Every sequence stands alone.
    }

    public void Run(MicroBatchContext c, Tensor scores, int chosen, Tensor loss, Tensor dScores) =>
        c.Backend.BalanceLoss(scores, c.SequenceLength, chosen, c.BalanceScale, loss, dScores);

    public void Dispose()
    {
    }
}
