using Hadal.Training.Batches;

namespace Hadal.Data.Shards;

/// <summary>Training batches: rows of a dataset of token shards, shuffled by seed and epoch, mixed by weights, and shared out to data-parallel ranks.</summary>
/// <remarks>
/// The row at a place of a step is arithmetic, so a run goes on at any step without replay. Behind every batch the pages of the next one are loaded in the background.
/// Rank r of R has rows ⌊G·r/R⌋ to ⌊G·(r+1)/R⌋ of the G rows of the global batch; where that is no whole number of micro-batches, the last one is filled up with padding.
/// </remarks>
public sealed class ShardBatches : IBatchSource, IDisposable
{
    private readonly TokenShards _shards;
    private readonly ShardBatchOptions _options;
    private readonly RowOrder _order;
    private readonly int _first, _count;
    private Task _prefetch = Task.CompletedTask;

    /// <summary>Batches of a dataset.</summary>
    /// <param name="shards">The dataset; not owned, and to be kept open while this is used.</param>
    /// <param name="options">How rows become batches.</param>
    /// <exception cref="DataException">The rows have another length, there is none to train on, or a weight names no group.</exception>
    public ShardBatches(TokenShards shards, ShardBatchOptions options)
    {
        ArgumentNullException.ThrowIfNull(shards);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSequences, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MicroBatchSequences, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Ranks, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)options.Rank, (uint)options.Ranks, nameof(options));
        ShardRows.RequireLength(shards, options.SequenceLength);
        (_shards, _options) = (shards, options);
        var split = new RowSplit(shards, options.ValidationShare, options.SplitSeed);
        _order = new RowOrder(split, options.Weights, options.Seed);
        RowsToTrainOn = split.TrainingRows;
        _first = (int)((long)options.BatchSequences * options.Rank / options.Ranks);
        _count = (int)((long)options.BatchSequences * (options.Rank + 1) / options.Ranks) - _first;
        MicroBatchesPerStep = (_count + options.MicroBatchSequences - 1) / options.MicroBatchSequences;
    }

    /// <summary>Rows that are not kept for validation.</summary>
    public long RowsToTrainOn { get; }

    /// <summary>Micro-batches of this rank in a step.</summary>
    public int MicroBatchesPerStep { get; }

    /// <summary>The row at a place of the global batch.</summary>
    /// <param name="stepNumber">From 1.</param>
    /// <param name="place">In [0, BatchSequences).</param>
    public long Row(long stepNumber, int place)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepNumber, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)_options.BatchSequences, nameof(place));
        return _order[checked((stepNumber - 1) * _options.BatchSequences + place)];
    }

    /// <summary>The rows of one of this rank's micro-batches.</summary>
    /// <param name="stepNumber">From 1.</param>
    /// <param name="microBatch">In [0, MicroBatchesPerStep).</param>
    public IEnumerable<long> Rows(long stepNumber, int microBatch)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)microBatch, (uint)MicroBatchesPerStep, nameof(microBatch));
        int begin = microBatch * _options.MicroBatchSequences, end = Math.Min(_count, begin + _options.MicroBatchSequences);
        return Enumerable.Range(_first + begin, end - begin).Select(place => Row(stepNumber, place));
    }

    /// <inheritdoc/>
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Sequences != _options.MicroBatchSequences || batch.Length != _options.SequenceLength)
            throw new ArgumentException($"The batch has {batch.Sequences} sequences of {batch.Length}, but {_options.MicroBatchSequences} of {_options.SequenceLength} were asked for.", nameof(batch));
        batch.WithFilled();
        int s = 0;
        foreach (long row in Rows(stepNumber, microBatch)) ShardRows.Fill(_shards, row, batch, s++);
        while (s < batch.Sequences) ShardRows.FillEmpty(_shards, batch, s++);
        Prefetch(stepNumber, microBatch + 1);
    }

    /// <inheritdoc/>
    public long CountLabels(long stepNumber, int microBatch, PackedBatch batch) => Rows(stepNumber, microBatch).Sum(row => ShardRows.Labels(_shards, row));

    /// <summary>Waits for the background; the dataset stays open.</summary>
    public void Dispose() => _prefetch.Wait();

    // One at a time: where the disk is slower than training, queueing more would not help.
    private void Prefetch(long stepNumber, int microBatch)
    {
        if (!_prefetch.IsCompleted || MicroBatchesPerStep == 0) return;
        if (microBatch == MicroBatchesPerStep) (stepNumber, microBatch) = (stepNumber + 1, 0);
        long[] rows = [.. Rows(stepNumber, microBatch)];
        _prefetch = Task.Run(() =>
        {
            foreach (long row in rows) _shards.Touch(row);
        });
    }
}
