using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Balance;

/// <summary>Σ_e f_e·P_e with f and P taken over the batch (report section 4.5.3): sequences may be one-sided as long as the batch is not.</summary>
/// <remarks>
/// With gradient accumulation the batch is known only when its last micro-batch has been routed, but each one needs its gradient at once. f therefore counts the
/// tokens of the step so far, this micro-batch included, and P is the micro-batch's mean: the loss is 1/M·Σ_m Σ_e f_e(1…m)·P_e(m). With a single micro-batch that
/// is the loss over the whole global batch; with many, f of the later ones comes close to it. The counts start at zero in every step, so nothing is left over for a
/// checkpoint.
/// </remarks>
internal sealed class BatchBalanceLoss : IBalanceLoss
{
    private readonly IBackend _backend;
    private readonly Storage _storage;
    private readonly Tensor _counts;

    public BatchBalanceLoss(IBackend backend, int experts)
    {
        _backend = backend;
        _storage = backend.CreateStorage((long)experts * sizeof(int));
        _counts = _storage.View(0, DType.I32, new Shape(experts));
        BeginStep();
    }

    public void BeginStep() => _backend.Clear(_counts);

    public void Run(MicroBatchContext c, Tensor scores, int chosen, Tensor loss, Tensor dScores)
    {
        var counts = _counts;
        if (!c.CountsLoad)
        {
            // An evaluation in the middle of a run leaves the step's counts alone.
            counts = c.Integers(scores.Columns);
            c.Backend.Clear(counts);
        }

        if (!c.IsRecomputing) c.Backend.CountBest(scores, chosen, counts);
        c.Backend.BatchBalanceLoss(scores, c.SequenceLength, counts, c.BalanceScale, loss, dScores);
    }

    public void Dispose() => _storage.Dispose();
}
