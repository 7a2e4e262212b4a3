namespace Hadal.Training.Model;

/// <summary>Losses summed over micro-batches in FP64, to be divided by the counts of the global batch.</summary>
internal sealed class BatchLosses(int mtpModules, int expertLayers)
{
    /// <summary>Σ of the cross-entropies of the main model over counted labels, in nats.</summary>
    public double MainSum { get; set; }

    /// <summary>The same for each MTP module.</summary>
    public double[] MtpSums { get; } = new double[mtpModules];

    /// <summary>MTP rows that counted, per module.</summary>
    public long[] MtpCounts { get; } = new long[mtpModules];

    /// <summary>Of these rows, in an evaluation: those where the module's likeliest token is the main model's own, which speculation would accept.</summary>
    public long[] Accepted { get; } = new long[mtpModules];

    /// <summary>Σ over sequences of the balance loss, per expert layer (main model first, then MTP modules), unweighted.</summary>
    public double[] BalanceSums { get; } = new double[expertLayers];

    public void Clear()
    {
        MainSum = 0;
        Array.Clear(MtpSums);
        Array.Clear(MtpCounts);
        Array.Clear(Accepted);
        Array.Clear(BalanceSums);
    }

    /// <summary>Σ over expert layers of the mean over sequences.</summary>
    public double Balance(long sequences)
    {
        double sum = 0;
        foreach (double layer in BalanceSums) sum += layer / sequences;
        return sum;
    }

    /// <summary>Mean over modules of Σ / N.</summary>
    public double Mtp(long countedLabels)
    {
        double sum = 0;
        foreach (double module in MtpSums) sum += module / countedLabels;
        return MtpSums.Length == 0 ? 0 : sum / MtpSums.Length;
    }
}
