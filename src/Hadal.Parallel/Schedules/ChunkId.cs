namespace Hadal.Parallel.Schedules;

/// <summary>A micro-batch in one direction, which with a rank makes a chunk: that micro-batch on the stage that the rank holds in that direction.</summary>
/// <param name="Direction">1F1B and ZB1P: 0. DualPipe: 0 enters at rank 0, 1 at the last rank. DualPipeV: 0 is the pass from rank 0 to the last rank, 1 the pass back.</param>
/// <param name="MicroBatch">Which micro-batch of the direction, from 0. See <see cref="Schedule.MicroBatchOf"/> for which of all micro-batches it is.</param>
public readonly record struct ChunkId(int Direction, int MicroBatch)
{
    /// <summary>Such as <c>0.3</c>.</summary>
    public override string ToString() => $"{Direction}.{MicroBatch}";
}
