namespace Hadal.Inference.Sampling;

/// <summary>e^x in plain IEEE additions, multiplications and fused multiply-adds, so that sampling gives the same text on every machine (the platform's
/// own function differs in the last bit between C libraries).</summary>
internal static class Exponential
{
    // x = k·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, so that k·high is exact for the k that occur.
    private const double InverseLn2 = 1.4426950408889634, Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10;

    /// <summary>e^x to about one unit in the last place, for x ≤ 0 (0 below -708).</summary>
    public static double Of(double x)
    {
        if (x < -708) return 0;
        double k = Math.Round(x * InverseLn2);
        double r = Math.FusedMultiplyAdd(-k, Ln2High, x);
        r = Math.FusedMultiplyAdd(-k, Ln2Low, r);

        // Taylor to r^13 / 13!: the first term left out is below 1e-17 of the sum.
        double sum = 1.0 / 6227020800;
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 479001600);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 39916800);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 3628800);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 362880);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 40320);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 5040);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 720);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 120);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 24);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 6);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0 / 2);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0);
        sum = Math.FusedMultiplyAdd(sum, r, 1.0);
        return sum * BitConverter.Int64BitsToDouble((long)(k + 1023) << 52);
    }
}
