using Hadal.Model.Configuration;

namespace Hadal.Model.Checkpoints;

/// <summary>Writes a checkpoint of random weights: for measuring speed and memory of a shape that nobody has trained.</summary>
public static class RandomCheckpoint
{
    // A uniform distribution of half-width a has standard deviation a / √3.
    private const float HalfWidth = 0.02f * 1.7320508f;

    /// <summary>Writes a Hugging Face folder without tokenizer; norms are one, all else uniform: the embedding with standard deviation 1, so that a layer changes the stream by a
    /// part of it as in trained models, the rest with 0.02.</summary>
    /// <remarks>
    /// Router biases are zero, or fall with the logarithm of an expert's rank, in an order that differs from layer to layer, so that few experts get most tokens.
    /// </remarks>
    /// <param name="folder">As for <see cref="CheckpointWriter.Write(string, ModelConfig, TensorRows, CheckpointOptions?, CancellationToken)"/>.</param>
    /// <param name="config">The shape.</param>
    /// <param name="seed">The same seed gives the same bytes.</param>
    /// <param name="skew">How much lower a router bias is for each unit of ln(rank); 0 for an even load.</param>
    /// <param name="options">Null for BF16.</param>
    /// <param name="progress">Told the elements written so far; or null.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="ConfigException">The configuration is wrong.</exception>
    /// <exception cref="CheckpointException">The folder cannot be written.</exception>
    public static void Write(
        string folder, ModelConfig config, ulong seed = 1, double skew = 0, CheckpointOptions? options = null, IProgress<long>? progress = null,
        CancellationToken cancellation = default)
    {
        long written = 0;
        CheckpointWriter.Write(
            folder, config,
            (spec, firstRow, rowCount, destination) =>
            {
                Fill(spec, firstRow, seed, skew, destination);
                progress?.Report(written += destination.Length);
            },
            options, cancellation);
    }

    private static void Fill(TensorSpec spec, long firstRow, ulong seed, double skew, Span<float> destination)
    {
        if (spec.Shape.Rank == 1)
        {
            if (spec.Role == TensorRole.RouterBias) FillBiases(spec.Layer, seed, skew, destination);
            else destination.Fill(1);
            return;
        }

        // A stream per tensor and place, so that the bytes do not depend on how the rows are cut.
        ulong name = 14695981039346656037;
        foreach (char c in spec.Name) name = (name ^ c) * 1099511628211;
        float halfWidth = spec.Role == TensorRole.Embedding ? 50 * HalfWidth : HalfWidth;
        ulong index = (ulong)(firstRow * spec.Shape.Columns);
        for (int i = 0; i < destination.Length; i++)
        {
            ulong x = (name ^ seed) + (index + (ulong)i) * 0x9E3779B97F4A7C15;
            x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
            x ^= x >> 27;
            destination[i] = ((int)(x >> 8) & 0xFFFFFF) * (2 * halfWidth / 0xFFFFFF) - halfWidth;
        }
    }

    private static void FillBiases(int layer, ulong seed, double skew, Span<float> biases)
    {
        int[] ranks = [.. Enumerable.Range(0, biases.Length)];
        new Random(unchecked((int)seed * 31 + layer)).Shuffle(ranks);
        for (int e = 0; e < biases.Length; e++) biases[e] = (float)(-skew * Math.Log(1 + ranks[e]));
    }
}
