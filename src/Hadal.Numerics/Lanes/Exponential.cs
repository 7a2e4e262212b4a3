namespace Hadal.Numerics.Lanes;

/// <summary>Numbers of the lanes' exponential, the same in every register width so that the bits do not depend on the machine.</summary>
/// <remarks>
/// e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2. ln 2 is split in two so that n·<see cref="Ln2High"/> is exact. e^r is its Taylor polynomial of
/// degree 7, whose remainder r^8/8! is below 5.2e-9 on this interval, under half a unit in the last place of FP32.
/// </remarks>
internal static class Exponential
{
    public const float Log2E = 1.44269504088896341f;
    public const float Ln2High = 0.693359375f;
    public const float Ln2Low = -2.12194440e-4f;
    public const float Largest = 88.0296919311f;
    public const float Smallest = -87.3365447505531f;
    public const float C3 = 1f / 6;
    public const float C4 = 1f / 24;
    public const float C5 = 1f / 120;
    public const float C6 = 1f / 720;
    public const float C7 = 1f / 5040;

    /// <summary>1.5·2^23: adding it rounds to an integer, ties to even, which then stands in the lowest bits.</summary>
    public const float Rounder = 12582912f;

    /// <summary>The smallest exponent of a normal number.</summary>
    public const float SmallestPower = -126f;

    // 2^f - 1 = f·(P1 + f·(P2 + …)) for f in [-0.5, 0.5], of least largest relative error, 9.2e-8.
    public const float P1 = 0.6931470036506653f;
    public const float P2 = 0.24022242426872253f;
    public const float P3 = 0.05550733581185341f;
    public const float P4 = 0.009671513922512531f;
    public const float P5 = 0.0013264728477224708f;
}
