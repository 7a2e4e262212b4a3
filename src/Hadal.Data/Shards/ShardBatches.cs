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
    private volatile bool _isStopped;
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
        MicroBatchesPerStep = (Slice(options.BatchSequences).Count + options.MicroBatchSequences - 1) / options.MicroBatchSequences;
    }

    /// <inheritdoc/>
    public string? Fingerprint => _shards.Fingerprint;

    /// <summary>Rows that are not kept for validation.</summary>
    public long RowsToTrainOn { get; }

    /// <summary>What is taken from each group.</summary>
    public IReadOnlyList<GroupShare> Groups => _order.Shares;

    /// <summary>Micro-batches of this rank in a step.</summary>
    public int MicroBatchesPerStep { get; }

    /// <summary>The row that is the n-th sequence of a run, over all ranks together.</summary>
    /// <param name="sequence">From 0.</param>
    public long Row(long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        return _order[sequence];
    }

    /// <summary>This rank's rows of a global batch of any size, as a batch that grows needs it: rank r of R has places ⌊G·r/R⌋ to ⌊G·(r+1)/R⌋ of it.</summary>
    /// <param name="firstSequence">Number of its first sequence in the run, which is how many all steps before had together (≥ 0).</param>
    /// <param name="sequences">G, its sequences over all ranks together (≥ 1).</param>
    public IEnumerable<long> Rows(long firstSequence, int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstSequence);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequences);
        var (first, count) = Slice(sequences);
        return Enumerable.Range(first, count).Select(place => Row(firstSequence + place));
    }

    /// <summary>The rows of one of this rank's micro-batches, in steps of <see cref="ShardBatchOptions.BatchSequences"/>.</summary>
    /// <param name="stepNumber">From 1.</param>
    /// <param name="microBatch">In [0, MicroBatchesPerStep).</param>
    public IEnumerable<long> RowsOf(long stepNumber, int microBatch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepNumber, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)microBatch, (uint)MicroBatchesPerStep, nameof(microBatch));
        int begin = microBatch * _options.MicroBatchSequences;
        return Rows(checked((stepNumber - 1) * _options.BatchSequences), _options.BatchSequences).Skip(begin).Take(_options.MicroBatchSequences);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">A file of the dataset is gone, cut or damaged.</exception>
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Sequences != _options.MicroBatchSequences || batch.Length != _options.SequenceLength)
            throw new ArgumentException($"The batch has {batch.Sequences} sequences of {batch.Length}, but {_options.MicroBatchSequences} of {_options.SequenceLength} were asked for.", nameof(batch));
        ShardRows.MakeRoom(batch, _options.MaskDocuments);
        int s = 0;
        try
        {
            foreach (long row in RowsOf(stepNumber, microBatch)) ShardRows.Fill(_shards, row, batch, s++);
        }
        catch (DataException e)
        {
            throw Lost(e);
        }

        while (s < batch.Sequences) ShardRows.FillEmpty(_shards, batch, s++);
        Prefetch(stepNumber, microBatch + 1);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">A file of the dataset is gone, cut or damaged.</exception>
    public long CountLabels(long stepNumber, int microBatch, PackedBatch batch)
    {
        try
        {
            return RowsOf(stepNumber, microBatch).Sum(row => ShardRows.Labels(_shards, row, _options.MaskDocuments));
        }
        catch (DataException e)
        {
            throw Lost(e);
        }
    }

    /// <summary>Ends what goes on in the background, within the time to load one row; the dataset stays open.</summary>
    public void Dispose()
    {
        _isStopped = true;
        _prefetch.Wait();
    }

    // A run that loses its data in the middle keeps a checkpoint, which it does for errors of input and output.
    private static IOException Lost(DataException e) => new(e.Message, e);

    private (int First, int Count) Slice(int sequences)
    {
        int first = (int)((long)sequences * _options.Rank / _options.Ranks);
        return (first, (int)((long)sequences * (_options.Rank + 1) / _options.Ranks) - first);
    }

    // One at a time: where the disk is slower than training, queueing more would not help.
    private void Prefetch(long stepNumber, int microBatch)
    {
        if (_isStopped || !_prefetch.IsCompleted) return;
        if (microBatch == MicroBatchesPerStep) (stepNumber, microBatch) = (stepNumber + 1, 0);
        long[] rows = [.. RowsOf(stepNumber, microBatch)];
        _prefetch = Task.Run(() =>
        {
            try
            {
                foreach (long row in rows)
                {
                    if (_isStopped) return;
                    _shards.Touch(row);
                }
            }
            catch (Exception e) when (e is DataException or IOException or UnauthorizedAccessException)
            {
                // Whoever fills the batch finds it too, and says so.
            }
        });
    }
}
