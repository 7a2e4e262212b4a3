using Hadal.Training.Batches;

namespace Hadal.Parallel.Tests.Training;

/// <summary>Counting sequences of several strides, which a few steps learn something from.</summary>
internal sealed class Counting(int vocabulary) : IBatchSource
{
    public void Fill(long stepNumber, int microBatch, PackedBatch batch)
    {
        int row = batch.Length + 1;
        for (int b = 0; b < batch.Sequences; b++)
        {
            long sequence = (long)microBatch * batch.Sequences + b, stride = 1 + sequence % 5, start = stepNumber * 31 + sequence * 11;
            for (int i = 0; i < row; i++) batch.Tokens[b * row + i] = (int)((start + i * stride) % vocabulary);
        }
    }
}
