namespace Hadal.Training.Balance;

/// <summary>Balance of experts without an auxiliary loss (report section 2.1.2): the rule that moves the correction biases, and the figure that measures it.</summary>
internal static class LoadBalance
{
    /// <summary>b_e += γ·sign(mean load - load_e), with sign(0) = 0.</summary>
    /// <param name="load">Tokens routed to each expert in the whole global batch.</param>
    /// <param name="rate">γ.</param>
    /// <param name="bias">Updated.</param>
    public static void UpdateBias(ReadOnlySpan<long> load, float rate, Span<float> bias)
    {
        long total = 0;
        foreach (long n in load) total += n;
        for (int e = 0; e < bias.Length; e++)
        {
            // Compared as total - E·load, so that no rounding decides the sign.
            bias[e] += rate * Math.Sign(total - load[e] * load.Length);
        }
    }

    /// <summary>MaxVio = (largest load - mean load) / mean load; 0 when nothing was routed.</summary>
    public static double MaxViolation(ReadOnlySpan<long> load)
    {
        long total = 0, largest = 0;
        foreach (long n in load)
        {
            total += n;
            largest = Math.Max(largest, n);
        }

        return total == 0 ? 0 : (double)largest * load.Length / total - 1;
    }
}
