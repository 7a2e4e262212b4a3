namespace Hadal.Training.Batches;

/// <summary>Where training sequences come from. The same numbers always give the same tokens, so a run can stop and go on anywhere.</summary>
public interface IBatchSource
{
    /// <summary>Fills a micro-batch.</summary>
    /// <param name="stepNumber">Step of the run, from 1.</param>
    /// <param name="microBatch">Which micro-batch of the step, from 0.</param>
    /// <param name="batch">Receives the tokens (and document numbers, if it has room for them).</param>
    void Fill(long stepNumber, int microBatch, PackedBatch batch);
}
