using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>2^x on lanes of every width.</summary>
public unsafe class PowerOfTwoTests
{
    /// <remarks>Two units in the last place of FP32 are at most 2^-22 of the value.</remarks>
    [Fact]
    public void Powers_are_exact_to_two_units_and_the_same_in_every_width()
    {
        float[] inputs = [.. Enumerable.Range(0, 16_000).Select(i => 1 - i * 0.00794f), .. Enumerable.Range(-126, 128).Select(i => (float)i)];
        float[] narrow = Run<Lanes128>(inputs);
        Assert.Equal(narrow, Run<Lanes256>(inputs));
        Assert.Equal(narrow, Run<Lanes512>(inputs));
        for (int i = 0; i < inputs.Length; i++)
        {
            double expected = Math.Pow(2, inputs[i]);
            if (inputs[i] >= -126) Assert.InRange(narrow[i] / expected - 1, -Math.Pow(2, -22), Math.Pow(2, -22));
            if (inputs[i] == MathF.Round(inputs[i]) && inputs[i] >= -126) Assert.Equal((float)expected, narrow[i]);
        }
    }

    [Fact]
    public void What_is_too_small_becomes_the_smallest_normal_number_and_NaN_stays()
    {
        float[] inputs = [-126.5f, -1e30f, float.NegativeInfinity, float.NaN, 0, -0f];
        float[] results = Run<Lanes512>(inputs);
        float smallest = MathF.ScaleB(1, -126);
        Assert.Equal([smallest, smallest, smallest, float.NaN, 1, 1], results);
        Assert.Equal(results, Run<Lanes256>(inputs));
        Assert.Equal(results, Run<Lanes128>(inputs));
    }

    private static float[] Run<T>(float[] inputs) where T : struct, ILanes<T>
    {
        var results = new float[inputs.Length];
        float* x = stackalloc float[16];
        for (int i = 0; i < inputs.Length; i += 16)
        {
            int count = Math.Min(16, inputs.Length - i);
            inputs.AsSpan(i, count).CopyTo(new Span<float>(x, 16));
            T.Store(T.PowerOfTwo(T.Load(x)), x);
            new Span<float>(x, count).CopyTo(results.AsSpan(i));
        }

        return results;
    }
}
