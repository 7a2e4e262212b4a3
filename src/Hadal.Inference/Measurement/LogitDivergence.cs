namespace Hadal.Inference.Measurement;

/// <summary>How one row of logits differs from another, in double precision.</summary>
/// <param name="Divergence">KL(p‖q) = Σ p·(ln p - ln q) in nats, p the reference's probabilities; exactly 0 for equal rows.</param>
/// <param name="ReferenceLoss">-ln p of the token that came, in nats.</param>
/// <param name="QuantizedLoss">-ln q of it.</param>
/// <param name="SameToken">Whether both rows are highest at the same token (the first of equals).</param>
internal readonly record struct LogitDivergence(double Divergence, double ReferenceLoss, double QuantizedLoss, bool SameToken)
{
    /// <summary>Compares two rows.</summary>
    /// <param name="reference">Logits a; p = softmax(a).</param>
    /// <param name="quantized">Logits b; q = softmax(b).</param>
    /// <param name="target">The token that came.</param>
    public static LogitDivergence Of(ReadOnlySpan<float> reference, ReadOnlySpan<float> quantized, int target)
    {
        int likelyA = Highest(reference), likelyB = Highest(quantized);
        double mostA = reference[likelyA], mostB = quantized[likelyB], sumA = 0, sumB = 0, difference = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            // Relative to the highest, so that equal rows have equal sums and no difference at all.
            double a = reference[i] - mostA, b = quantized[i] - mostB, weight = Math.Exp(a);
            sumA += weight;
            sumB += Math.Exp(b);
            difference += weight * (a - b);
        }

        double logA = Math.Log(sumA), logB = Math.Log(sumB);
        return new LogitDivergence(
            Math.Max(0, difference / sumA - logA + logB), logA - (reference[target] - mostA), logB - (quantized[target] - mostB), likelyA == likelyB);
    }

    private static int Highest(ReadOnlySpan<float> row)
    {
        int place = 0;
        for (int i = 1; i < row.Length; i++)
        {
            if (row[i] > row[place]) place = i;
        }

        return place;
    }
}
