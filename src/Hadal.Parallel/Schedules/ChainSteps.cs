namespace Hadal.Parallel.Schedules;

/// <summary>The schedules in which every micro-batch enters at rank 0 and stage r lies on rank r: 1F1B and ZB1P.</summary>
internal static class ChainSteps
{
    /// <summary>1F1B: rank r runs P − 1 − r forwards ahead, then one forward and one backward in turn, then the backwards that are left.</summary>
    public static void WriteOneForwardOneBackward(RankWriter rank, int ranks, int r, int microBatches)
    {
        int ahead = Math.Min(ranks - 1 - r, microBatches);
        for (int i = 0; i < ahead; i++) rank.Forward(0);
        for (int i = ahead; i < microBatches; i++)
        {
            rank.Forward(0);
            rank.Backward(0);
        }

        for (int i = 0; i < ahead; i++) rank.Backward(0);
    }

    /// <summary>ZB-H1: the forwards and backwards of 1F1B, with the weight gradient of a chunk put off until r more backwards have run.</summary>
    /// <remarks>
    /// Rank r holds the activations of P − r chunks for 1F1B and of r more for their weight gradients: P on every rank, as many as rank 0 has in 1F1B. The bubble shrinks because the
    /// last ranks, where backwards begin, hand them on sooner. While forwards go on, the rank before runs one of them next, so a gradient moves with the request for its output, after
    /// the weight gradient; when none is left, the rank before waits for the gradient, which moves at once. So no rank waits for another's weight gradient even if a send ends only
    /// when it is received.
    /// </remarks>
    public static void WriteZeroBubble(RankWriter rank, int ranks, int r, int microBatches)
    {
        int ahead = Math.Min(ranks - 1 - r, microBatches);
        for (int i = 0; i < ahead; i++) rank.Forward(0);
        for (int i = ahead; i < microBatches; i++)
        {
            rank.Forward(0);
            rank.Backward(0, defer: true);
            if (rank.Deferred > r) rank.WeightGradient(messagesFirst: i == microBatches - 1);
        }

        for (int i = 0; i < ahead; i++)
        {
            rank.Backward(0, defer: true);
            if (rank.Deferred > r) rank.WeightGradient();
        }

        while (rank.Deferred > 0) rank.WeightGradient();
    }
}
