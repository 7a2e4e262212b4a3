namespace Hadal.Planning.Training;

/// <summary>An overlapped forward of one stage and backward of another: seconds in all, and those in which only data moves.</summary>
/// <param name="Seconds">F&amp;B.</param>
/// <param name="Exposed">Of them, seconds in which nothing computes because experts' inputs or outputs are under way.</param>
internal readonly record struct PairTime(double Seconds, double Exposed)
{
    /// <summary>
    /// Runs a pair on two streams, one that computes and one that moves, in the order of the published trace. For each layer of the forward and the backward: dispatch of gradients, then
    /// attention forward; MLP backward beside the dispatch; MLP weights beside the combine of gradients; MLP forward; attention backward beside the combine; attention weights beside the
    /// next layer's dispatch of gradients.
    /// </summary>
    /// <remarks>
    /// The first dispatch of gradients has nothing before it to hide behind: it is what the trace shows exposed (4.2 of 129.0 ms; the shortest dispatch of gradients takes 4.4). Each
    /// stream runs its parts in order; a part begins when the stream is free and what it takes in is there.
    /// </remarks>
    public static PairTime Of(ChunkTimes times, StageContent forward, StageContent backward)
    {
        double compute = 0, moves = 0, busy = 0;
        double Compute(double seconds, double ready)
        {
            busy += seconds;
            return compute = Math.Max(compute, ready) + seconds;
        }

        double Move(double seconds, double ready) => seconds == 0 ? ready : moves = Math.Max(moves, ready) + seconds;

        var end = times.Ends(backward);
        double gradient = Compute(end.Backward + end.Weights, 0), hidden = 0;
        int steps = Math.Max(forward.Experts.Count, backward.Experts.Count);
        for (int i = 0; i < steps; i++)
        {
            var f = i < forward.Experts.Count ? times.Of(forward.Experts[i]) : null;
            var b = i < backward.Experts.Count ? times.Of(backward.Experts[backward.Experts.Count - 1 - i]) : null;
            if (b is not null) gradient = Move(i == 0 ? b.GradientDispatchAlone : b.GradientDispatch, gradient);
            if (i == 0) compute = Math.Max(compute, gradient);
            if (f is not null) hidden = Move(f.Dispatch, Compute(f.Attention.Forward, hidden));
            if (b is not null)
            {
                gradient = Move(b.GradientCombine, Compute(b.Mlp.Backward, gradient));
                Compute(b.Mlp.Weights, 0);
            }

            if (f is not null) hidden = Move(f.Combine, Compute(f.Mlp.Forward, hidden));
            if (b is null) continue;
            gradient = Compute(b.Attention.Backward, gradient);
            Compute(b.Attention.Weights, 0);
        }

        Compute(times.Ends(forward).Forward, hidden);
        double seconds = Math.Max(compute, Math.Max(hidden, gradient));
        return new PairTime(seconds, seconds - busy);
    }
}
