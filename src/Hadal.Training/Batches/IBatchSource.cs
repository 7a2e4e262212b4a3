namespace Hadal.Training.Batches;

/// <summary>Where training sequences come from. The same numbers always give the same tokens, so a run can stop and go on anywhere.</summary>
public interface IBatchSource
{
    /// <summary>Says which data these are: the same for the same data anywhere, another for others; null where nobody knows. A run that has a checkpoint goes on only with those of the checkpoint.</summary>
    string? Fingerprint => null;

    /// <summary>Fills a micro-batch.</summary>
    /// <param name="stepNumber">Step of the run, from 1.</param>
    /// <param name="microBatch">Which micro-batch of the step, from 0.</param>
    /// <param name="batch">Receives the tokens (and document numbers, if it has room for them).</param>
    void Fill(long stepNumber, int microBatch, PackedBatch batch);

    /// <summary>Labels of a micro-batch that count in the loss. It is asked before the first micro-batch of a step is computed, because the loss of a step is a mean over all of them.</summary>
    /// <param name="stepNumber">Step of the run, from 1.</param>
    /// <param name="microBatch">Which micro-batch of the step, from 0.</param>
    /// <param name="batch">What will be filled; only its sizes are looked at.</param>
    /// <returns>As many as <see cref="PackedBatch.CountedLabels"/> will say; every label, unless a source says otherwise.</returns>
    long CountLabels(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return (long)batch.Sequences * batch.Length;
    }
}
