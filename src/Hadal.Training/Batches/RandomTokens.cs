namespace Hadal.Training.Batches;

/// <summary>Sequences of random tokens: data for measuring time, from which nothing can be learnt.</summary>
/// <param name="vocabulary">Tokens are below it.</param>
/// <param name="seed">Start of the random numbers.</param>
public sealed class RandomTokens(int vocabulary, ulong seed) : IBatchSource
{
    /// <inheritdoc/>
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var random = new Random(HashCode(stepNumber, microBatch));
        foreach (ref int token in batch.Tokens) token = random.Next(vocabulary);
    }

    // SplitMix64 of the numbers: the same in every process.
    private int HashCode(long step, int microBatch)
    {
        ulong z = seed + 0x9E3779B97F4A7C15 * (((ulong)step << 20) + (ulong)microBatch + 1);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (int)(z ^ (z >> 31));
    }
}
