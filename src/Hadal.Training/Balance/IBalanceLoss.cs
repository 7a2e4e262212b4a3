using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Balance;

/// <summary>An auxiliary loss of one expert layer that is low when its tokens are spread evenly. Owns what the layer has to remember within a step.</summary>
internal interface IBalanceLoss : IDisposable
{
    /// <summary>Called before the first micro-batch of a step.</summary>
    void BeginStep();

    /// <summary>The loss of a micro-batch and its gradient.</summary>
    /// <param name="c">The micro-batch; <see cref="MicroBatchContext.BalanceScale"/> is the factor on the gradient of each sequence's share.</param>
    /// <param name="scores">[B·L, E], before bias and group limit.</param>
    /// <param name="chosen">Experts a token counts for, C.</param>
    /// <param name="loss">[B]: the share of each sequence, unweighted; the mean over all sequences of the step is the loss.</param>
    /// <param name="dScores">[B·L, E], replaced.</param>
    void Run(MicroBatchContext c, Tensor scores, int chosen, Tensor loss, Tensor dScores);
}
