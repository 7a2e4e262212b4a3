using Hadal.Model.Checkpoints;

namespace Hadal.Parallel.Tests.Training;

/// <summary>Written models.</summary>
internal static class ModelFiles
{
    /// <summary>Compares every weight of two model folders.</summary>
    public static void SameWeights(string expected, string actual, float tolerance)
    {
        using var one = Checkpoint.Open(expected);
        using var other = Checkpoint.Open(actual);
        Assert.Equal(one.Tensors.Select(t => t.Name).Order(), other.Tensors.Select(t => t.Name).Order());
        foreach (var tensor in one.Tensors)
        {
            var (x, y) = (new float[tensor.Shape.Count], new float[tensor.Shape.Count]);
            one.ReadSingle(tensor.Name, x);
            other.ReadSingle(tensor.Name, y);
            for (int i = 0; i < x.Length; i++) Assert.True(Math.Abs(x[i] - y[i]) <= tolerance, $"{tensor.Name}[{i}] is {y[i]} and has to be {x[i]}.");
        }
    }
}
