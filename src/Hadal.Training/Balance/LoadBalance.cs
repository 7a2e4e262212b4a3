namespace Hadal.Training.Balance;

/// <summary>Balance of experts without an auxiliary loss (report section 2.1.2): the rule that moves the correction biases, and the figures that measure it.</summary>
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

    /// <summary>Entropy of the load over its largest value, ln E: 1 for balance, 0 if one expert gets everything or nothing was routed.</summary>
    public static double Entropy(ReadOnlySpan<long> load)
    {
        double total = 0, sum = 0;
        foreach (long n in load) total += n;
        foreach (long n in load) sum -= n == 0 ? 0 : n / total * Math.Log(n / total);
        return load.Length < 2 ? 1 : sum / Math.Log(load.Length);
    }

    /// <summary>Largest minus smallest bias.</summary>
    public static double Spread(ReadOnlySpan<float> bias)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (float b in bias) (low, high) = (Math.Min(low, b), Math.Max(high, b));
        return bias.IsEmpty ? 0 : (double)high - low;
    }

    /// <summary>Share of the choices of one look that the same token had not made in the look before; the order of a token's choices does not matter.</summary>
    /// <param name="before">[T·C].</param>
    /// <param name="now">[T·C].</param>
    /// <param name="chosen">C.</param>
    public static double Churn(ReadOnlySpan<int> before, ReadOnlySpan<int> now, int chosen)
    {
        int changed = 0;
        for (int i = 0; i < now.Length; i++)
        {
            if (!before.Slice(i / chosen * chosen, chosen).Contains(now[i])) changed++;
        }

        return now.Length == 0 ? 0 : (double)changed / now.Length;
    }
}
