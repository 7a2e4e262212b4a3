namespace Hadal.Golden.Tests.Inference;

internal static class Compare
{
    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = 0;
        int place = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            if (difference > worst || double.IsNaN(difference)) (worst, place) = (difference, i);
            if (double.IsNaN(difference)) break;
        }

        Assert.True(worst <= tolerance, $"{what}: {actual[place]} at {place} instead of {expected[place]}: off by {worst}, allowed {tolerance}.");
    }

    /// <summary>Chosen experts as sets, gate weights by expert.</summary>
    public static void SameExperts(
        int[] experts, float[] weights, ReadOnlySpan<int> actualExperts, ReadOnlySpan<float> actualWeights, int perToken, string what)
    {
        Assert.Equal(experts.Length, actualExperts.Length);
        for (int row = 0; row < experts.Length / perToken; row++)
        {
            var expected = experts.AsSpan(row * perToken, perToken);
            var actual = actualExperts.Slice(row * perToken, perToken);
            for (int i = 0; i < perToken; i++)
            {
                int place = actual.IndexOf(expected[i]);
                Assert.True(place >= 0, $"{what}: row {row} lacks expert {expected[i]}.");
                Assert.Equal(weights[row * perToken + i], actualWeights[row * perToken + place], 1e-5f);
            }
        }
    }

    /// <summary>Distance of two vectors as a share of the expected one's length.</summary>
    public static double RelativeDistance(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        double difference = 0, length = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - (double)actual[i], 2);
            length += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / length);
    }
}
