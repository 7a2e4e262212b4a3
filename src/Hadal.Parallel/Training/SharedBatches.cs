using Hadal.Training.Batches;

namespace Hadal.Parallel.Training;

/// <summary>One source of sequences for ranks that are threads: they take turns.</summary>
public sealed class SharedBatches : IBatchSource
{
    private readonly IBatchSource _source;
    private readonly Lock _turn = new();

    /// <summary>Shares a source.</summary>
    /// <param name="source">The source.</param>
    public SharedBatches(IBatchSource source) => _source = source;

    /// <inheritdoc/>
    public string? Fingerprint => _source.Fingerprint;

    /// <inheritdoc/>
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        lock (_turn) _source.Fill(stepNumber, microBatch, batch);
    }

    /// <inheritdoc/>
    public long CountLabels(long stepNumber, int microBatch, PackedBatch batch)
    {
        lock (_turn) return _source.CountLabels(stepNumber, microBatch, batch);
    }
}
