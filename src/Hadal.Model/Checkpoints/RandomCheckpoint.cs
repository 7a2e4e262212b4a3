using System.Numerics;
using Hadal.Model.Configuration;

namespace Hadal.Model.Checkpoints;

/// <summary>Values for a checkpoint of any shape whose weights are random: what measurements of speed need when no trained model of the shape is at hand.</summary>
/// <remarks>
/// Matrices are uniform with the deviation of the configuration's usual initialiser (0.02); norms are 1. With a skew, router biases fall with the logarithm of an
/// expert's rank, in an order that differs from layer to layer, so that few experts get most tokens, as in trained models before balancing. The same seed gives the same
/// values, whatever rows are asked for first.
/// </remarks>
/// <param name="config">The shape.</param>
/// <param name="seed">Start of the random numbers.</param>
/// <param name="skew">How much lower a router bias is for each unit of ln(rank); 0 for an even load. Needs a router with biases to have an effect.</param>
public sealed class RandomCheckpoint(ModelConfig config, ulong seed = 1, double skew = 0)
{
    // Uniform numbers of deviation 0.02 reach 0.02·√3.
    private const float Reach = 0.02f * 1.7320508f;

    /// <summary>Gives rows of a tensor, for <see cref="CheckpointWriter.Write(string, ModelConfig, TensorRows, CheckpointOptions?, CancellationToken)"/>.</summary>
    /// <param name="tensor">A tensor of the configuration.</param>
    /// <param name="firstRow">First row.</param>
    /// <param name="rowCount">How many.</param>
    /// <param name="destination">[rows, columns].</param>
    public void Read(TensorSpec tensor, long firstRow, int rowCount, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Role == TensorRole.RouterBias) Biases(tensor, destination);
        else if (tensor.Shape.Rank == 1) destination.Fill(1);
        else Uniform(Start(tensor.Name), firstRow * tensor.Shape.Columns, destination);
    }

    private void Biases(TensorSpec tensor, Span<float> biases)
    {
        var random = new Random(unchecked((int)Start(tensor.Name)));
        int[] ranks = [.. Enumerable.Range(0, config.RoutedExperts)];
        random.Shuffle(ranks);
        for (int e = 0; e < biases.Length; e++) biases[e] = (float)(-skew * Math.Log(1 + ranks[e]));
    }

    private ulong Start(string name)
    {
        ulong hash = Mix(seed + 0x9E3779B97F4A7C15);
        foreach (char c in name) hash = Mix(hash ^ c);
        return hash;
    }

    // Element i takes 24 bits of a hash of its place (two elements to a hash), so that any range can be made on its own.
    private static void Uniform(ulong start, long first, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            ulong bits = Mix(start + (ulong)((first + i) >> 1));
            uint part = ((first + i) & 1) == 0 ? (uint)bits : (uint)(bits >> 32);
            values[i] = ((part >> 8) * (2f / (1 << 24)) - 1) * Reach;
        }
    }

    // A multiplication and two folds (the finaliser of a 64-bit hash, shortened): random enough for weights.
    private static ulong Mix(ulong x)
    {
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
        return BitOperations.RotateLeft(x, 29) ^ x >> 32;
    }
}
