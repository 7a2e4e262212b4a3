namespace Hadal.Parallel.Schedules;

/// <summary>The eight steps of DualPipe and DualPipeV on one rank: how often each is repeated, and what it does.</summary>
/// <remarks>
/// With H the distance from an end of the pipeline to its middle (P / 2 in DualPipe, P in DualPipeV), q the rank's distance from its end (min(r, P − 1 − r), or r), and c the
/// micro-batches of each direction. "First" is the direction that enters at the rank's own end, "second" the other one. The ranks beside the middle (q = H − 1) hand over the first
/// direction at once and run their first pair one after the other, which makes the bubble smaller.
/// </remarks>
internal sealed class BidirectionalSteps
{
    private readonly int _half, _position;

    private BidirectionalSteps(int half, int position, int chunks)
    {
        (_half, _position) = (half, position);
        int outside = half - position - 1;
        Repeats = [2 * outside, position + 1, outside, chunks - 2 * half + position + 1, outside, position + 1, outside, position + 1];
    }

    /// <summary>[8]: how often each step is repeated.</summary>
    public IReadOnlyList<int> Repeats { get; }

    public static BidirectionalSteps OfDualPipe(int ranks, int rank, int microBatches) => new(ranks / 2, Math.Min(rank, ranks - 1 - rank), microBatches / 2);

    public static BidirectionalSteps OfDualPipeV(int ranks, int rank, int microBatches) => new(ranks, rank, microBatches);

    /// <summary>Writes the rank's part.</summary>
    /// <param name="rank">Where it goes.</param>
    /// <param name="firstDirection">The direction that enters at this rank's own end.</param>
    public void Write(RankWriter rank, int firstDirection)
    {
        int first = firstDirection, second = 1 - firstDirection;
        bool middle = _position == _half - 1;

        // 1. Forwards of the first direction.
        for (int i = 0; i < Repeats[0]; i++) rank.Forward(first);
        FillBothWays(rank, first, second, middle);

        // 3. Backwards of the second direction; the weight gradient at once, but after the gradient is on its way.
        for (int i = 0; i < Repeats[2]; i++)
        {
            rank.Backward(second, defer: true);
            rank.ReceiveForward(second);
            rank.WeightGradient();
            rank.Forward(second, receive: false);
        }

        RunPairs(rank, first, second, middle);

        // 5. The first direction has no forwards left.
        for (int i = 0; i < Repeats[4]; i++)
        {
            rank.Backward(second);
            rank.ForwardAndBackward(second, first);
        }

        DrainBothWays(rank, first, second);

        // 7. Weight gradients fill the waits for the last backwards.
        for (int i = 0; i < Repeats[6]; i++)
        {
            rank.WeightGradient();
            rank.Backward(first, defer: true);
        }

        // 8. What is left of them.
        for (int i = 0; i < Repeats[7]; i++) rank.WeightGradient();
    }

    // 2. Forwards of both directions in turn.
    private void FillBothWays(RankWriter rank, int first, int second, bool middle)
    {
        rank.ReceiveForward(first);
        for (int i = 0; i < Repeats[1]; i++)
        {
            rank.Forward(first, receive: false, send: middle);
            rank.ReceiveForward(first);
            rank.Forward(second, send: !middle || i < Repeats[1] - 1);
            if (!middle) rank.SendForward(first);
        }
    }

    // 4. The steady part: overlapped pairs, each direction forward in turn.
    private void RunPairs(RankWriter rank, int first, int second, bool middle)
    {
        for (int i = 0; i < Repeats[3]; i++)
        {
            if (i == 0 && middle)
            {
                rank.Forward(first, receive: false, send: false);
                rank.SendForward(second);
                rank.Backward(second, send: false);
                rank.SendForward(first);
                rank.SendBackward(second);
            }
            else
            {
                rank.ForwardAndBackward(first, second, receive: i > 0);
            }

            rank.ForwardAndBackward(second, first);
        }
    }

    // 6. Backwards of both directions in turn; from the middle of them on the weight gradients are put off.
    private void DrainBothWays(RankWriter rank, int first, int second)
    {
        int turn = Repeats[5] / 2;
        bool secondLeads = _position % 2 == 1;
        for (int i = 0; i < Repeats[5]; i++)
        {
            rank.Backward(second, defer: secondLeads ? i >= turn : i > turn);
            rank.Backward(first, defer: i >= turn);
        }
    }
}
