using Hadal.Training.Batches;

namespace Hadal.Data.Corpora;

/// <summary>
/// Training batches: windows of sequence length + 1 tokens over the concatenated documents, in an order shuffled anew for each epoch.
/// </summary>
/// <remarks>
/// Documents are packed without gaps and attention may cross from one into the next, past the end token between them (report section 4.1: packing without
/// cross-sample attention masking). Window w is tokens [w·L, w·L + L], so every token but the first is predicted once an epoch. What a step sees is a function of
/// the seed and the step's number alone.
/// </remarks>
public sealed class PackedBatches : IBatchSource
{
    private readonly WindowOrder _order;

    /// <summary>Batches over a run of tokens.</summary>
    /// <param name="tokens">The training tokens.</param>
    /// <param name="sequenceLength">L, predictions a window makes (≥ 1).</param>
    /// <param name="sequencesPerMicroBatch">Windows in a micro-batch (≥ 1).</param>
    /// <param name="microBatchesPerStep">Micro-batches in an optimizer step (≥ 1).</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="DataException">There are fewer than L + 1 tokens.</exception>
    public PackedBatches(TokenArray tokens, int sequenceLength, int sequencesPerMicroBatch, int microBatchesPerStep, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequenceLength);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequencesPerMicroBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatchesPerStep);
        Tokens = tokens;
        SequenceLength = sequenceLength;
        SequencesPerMicroBatch = sequencesPerMicroBatch;
        MicroBatchesPerStep = microBatchesPerStep;
        WindowsPerEpoch = WindowMath.Count(tokens, sequenceLength, "training");
        _order = new WindowOrder(WindowsPerEpoch, seed);
    }

    /// <summary>L: a window has L + 1 tokens and makes L predictions.</summary>
    public int SequenceLength { get; }

    /// <summary>Windows in a micro-batch.</summary>
    public int SequencesPerMicroBatch { get; }

    /// <summary>Micro-batches in a step.</summary>
    public int MicroBatchesPerStep { get; }

    /// <summary>Windows in one pass over the tokens.</summary>
    public int WindowsPerEpoch { get; }

    /// <summary>Token ids that <see cref="Fill"/> writes: windows in a micro-batch · (L + 1).</summary>
    public int TokensPerMicroBatch => SequencesPerMicroBatch * (SequenceLength + 1);

    /// <summary>Predictions in one step, which is what is counted as tokens seen.</summary>
    public long PredictionsPerStep => (long)SequenceLength * SequencesPerMicroBatch * MicroBatchesPerStep;

    /// <summary>How far the run is through the data after <paramref name="steps"/> steps, in passes.</summary>
    public double Epochs(long steps) => (double)steps * MicroBatchesPerStep * SequencesPerMicroBatch / WindowsPerEpoch;

    internal TokenArray Tokens { get; }

    /// <summary>Which windows the first steps of a run see.</summary>
    /// <param name="steps">Steps done.</param>
    /// <returns>True for each window seen at least once; [WindowsPerEpoch].</returns>
    public bool[] WindowsSeen(long steps)
    {
        bool[] seen = new bool[WindowsPerEpoch];
        long windows = checked(steps * MicroBatchesPerStep * SequencesPerMicroBatch);
        for (long n = 0; n < Math.Min(windows, WindowsPerEpoch); n++) seen[_order[0, n]] = true;
        return seen;
    }

    /// <summary>Writes the windows of one micro-batch one after another. Allocates nothing.</summary>
    /// <param name="step">Number of the step, from 0.</param>
    /// <param name="microBatchIndex">In [0, MicroBatchesPerStep).</param>
    /// <param name="tokens">[windows · (L + 1)]; exactly <see cref="TokensPerMicroBatch"/>.</param>
    public void Fill(long step, int microBatchIndex, Span<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)microBatchIndex, (uint)MicroBatchesPerStep, nameof(microBatchIndex));
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokens.Length, TokensPerMicroBatch, nameof(tokens));
        int width = SequenceLength + 1;
        long first = checked((step * MicroBatchesPerStep + microBatchIndex) * SequencesPerMicroBatch);
        for (int s = 0; s < SequencesPerMicroBatch; s++)
        {
            (long epoch, long index) = Math.DivRem(first + s, WindowsPerEpoch);
            Tokens.CopyTo((int)_order[epoch, index] * SequenceLength, tokens.Slice(s * width, width));
        }
    }

    void IBatchSource.Fill(long stepNumber, int microBatch, PackedBatch batch) => Fill(stepNumber - 1, microBatch, batch.Tokens);
}
