using System.Globalization;
using Hadal.Training.Checkpoints;

namespace Hadal.Training.Runs;

/// <summary>Judges the gradients of a step before they change anything.</summary>
/// <remarks>
/// A loss or norm that is not finite is always a spike; a norm is one when it is above <see cref="RunConfig.SpikeFactor"/> times the median of the last
/// <see cref="RunConfig.SpikeWindow"/> norms of steps that were taken, once there are so many.
/// </remarks>
internal sealed class SpikeWatch(RunConfig run)
{
    private readonly Queue<double> _norms = new();

    /// <summary>Steps so far whose gradients were thrown away; they do not count in AdamW's bias correction.</summary>
    public int SkippedSteps { get; private set; }

    public int SkipsInARow { get; private set; }

    public int Rewinds { get; private set; }

    /// <summary>Micro-batches of the data that rewinds left out: a step trains on those that lie so far behind its place.</summary>
    public long PassedMicroBatches { get; private set; }

    /// <summary>What goes into a checkpoint.</summary>
    public SpikeState State => new(SkippedSteps, SkipsInARow, Rewinds, PassedMicroBatches, [.. _norms]);

    /// <summary>Why the gradients of a step must not be used; null if they may.</summary>
    public string? Judge(double loss, double norm)
    {
        if (!double.IsFinite(loss)) return Text($"the loss is not a number ({loss})");
        if (!double.IsFinite(norm)) return Text($"the gradient norm is not a number ({norm})");
        if (run.SpikeFactor == 0 || _norms.Count < run.SpikeWindow) return null;
        double[] sorted = [.. _norms.Order()];
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return norm > run.SpikeFactor * median ? Text($"the gradient norm {norm:G4} is above {run.SpikeFactor} times the running median {median:G4}") : null;
    }

    /// <summary>Takes note of a step that was taken.</summary>
    public void Accept(double norm)
    {
        SkipsInARow = 0;
        if (run.SpikeFactor == 0) return;
        _norms.Enqueue(norm);
        while (_norms.Count > run.SpikeWindow) _norms.Dequeue();
    }

    /// <summary>Takes note of a step whose gradients were thrown away.</summary>
    public void Skip()
    {
        SkippedSteps++;
        SkipsInARow++;
    }

    /// <summary>Goes on as a checkpoint says.</summary>
    public void Restore(SpikeState? state)
    {
        _norms.Clear();
        (SkippedSteps, SkipsInARow, Rewinds, PassedMicroBatches) = state is null ? (0, 0, 0, 0) : (state.SkippedSteps, state.SkipsInARow, state.Rewinds, state.PassedMicroBatches);
        foreach (double norm in state?.RecentNorms ?? []) _norms.Enqueue(norm);
        while (_norms.Count > run.SpikeWindow) _norms.Dequeue();
    }

    /// <summary>Goes on as an earlier checkpoint says, behind the batches that led to the spike.</summary>
    /// <param name="state">The checkpoint's.</param>
    /// <param name="microBatches">Micro-batches since then, those of the spike included.</param>
    public void Rewind(SpikeState? state, long microBatches)
    {
        var (rewinds, passed) = (Rewinds, PassedMicroBatches);
        Restore(state);
        (Rewinds, PassedMicroBatches) = (rewinds + 1, passed + microBatches);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
