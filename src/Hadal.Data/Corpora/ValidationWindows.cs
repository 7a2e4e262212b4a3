using Hadal.Training.Batches;

namespace Hadal.Data.Corpora;

/// <summary>The windows on which a model is validated: always the same ones, in order, each of sequence length + 1 tokens.</summary>
public sealed class ValidationWindows : IBatchSource
{
    private readonly int _available;

    /// <summary>Windows over a run of tokens; where there are more than wanted, evenly spaced ones.</summary>
    /// <param name="tokens">The validation tokens.</param>
    /// <param name="sequenceLength">L, predictions a window makes (≥ 1).</param>
    /// <param name="maximumWindows">Most windows to use (≥ 1).</param>
    /// <exception cref="DataException">There are fewer than L + 1 tokens.</exception>
    public ValidationWindows(TokenArray tokens, int sequenceLength, int maximumWindows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequenceLength);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumWindows);
        Tokens = tokens;
        SequenceLength = sequenceLength;
        _available = WindowMath.Count(tokens, sequenceLength, "validation");
        Count = Math.Min(_available, maximumWindows);
    }

    /// <summary>L: a window has L + 1 tokens and makes L predictions.</summary>
    public int SequenceLength { get; }

    /// <summary>Number of windows.</summary>
    public int Count { get; }

    /// <summary>Predictions in all windows together.</summary>
    public long Predictions => (long)Count * SequenceLength;

    internal TokenArray Tokens { get; }

    /// <summary>Copies window <paramref name="index"/> in [0, Count) into [L + 1] ids. Allocates nothing.</summary>
    public void Fill(int index, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, SequenceLength + 1, nameof(tokens));
        Tokens.CopyTo(Start(index), tokens);
    }

    void IBatchSource.Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        int width = SequenceLength + 1;
        for (int s = 0; s < batch.Sequences; s++) Fill(microBatch * batch.Sequences + s, batch.Tokens.Slice(s * width, width));
    }

    /// <summary>Position of a window's first token.</summary>
    internal int Start(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return (int)((long)index * _available / Count) * SequenceLength;
    }
}
