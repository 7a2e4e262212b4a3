using Hadal.Training.Batches;

namespace Hadal.Data.Shards;

/// <summary>The rows on which a model is validated: always the same ones, in order.</summary>
public sealed class ShardValidation : IBatchSource
{
    private readonly TokenShards _shards;
    private readonly RowSplit _split;
    private readonly bool _maskDocuments;

    /// <summary>Rows kept for validation; where there are more than wanted, evenly spaced ones.</summary>
    /// <param name="shards">The dataset; not owned.</param>
    /// <param name="options">As for <see cref="ShardBatches"/>, so that the two have no row in common.</param>
    /// <param name="maximumRows">Most rows to use (≥ 1).</param>
    /// <exception cref="DataException">The rows have another length.</exception>
    public ShardValidation(TokenShards shards, ShardBatchOptions options, int maximumRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(shards);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumRows);
        ShardRows.RequireLength(shards, options.SequenceLength);
        (_shards, _maskDocuments) = (shards, options.MaskDocuments);
        _split = new RowSplit(shards, options.ValidationShare, options.SplitSeed);
        Count = (int)Math.Min(_split.ValidationRows, maximumRows);
    }

    /// <summary>Number of rows; may be 0.</summary>
    public int Count { get; }

    /// <summary>The row at a place in [0, Count).</summary>
    public long Row(int place)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)Count, nameof(place));
        return _split.ValidationRow((long)((Int128)place * _split.ValidationRows / Count));
    }

    /// <inheritdoc/>
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ShardRows.MakeRoom(batch, _maskDocuments);
        for (int s = 0; s < batch.Sequences; s++) ShardRows.Fill(_shards, Row(microBatch * batch.Sequences + s), batch, s);
    }

    /// <inheritdoc/>
    public long CountLabels(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Enumerable.Range(microBatch * batch.Sequences, batch.Sequences).Sum(place => ShardRows.Labels(_shards, Row(place), _maskDocuments));
    }
}
