namespace Hadal.Inference.Speculation;

/// <summary>When a drafted token stands (section 6.3 of the specification; Leviathan et al. 2023, Chen et al. 2023).</summary>
/// <remarks>
/// A draft x from q is accepted with probability min(1, p(x)/q(x)); otherwise a token is drawn from max(0, p - q), made to sum to 1. The token that comes
/// out has distribution p exactly: q(x)·min(1, p(x)/q(x)) + (1 - Σ min(p, q))·max(0, p(x) - q(x)) / Σ max(0, p - q) = p(x).
/// </remarks>
internal static class AcceptanceRule
{
    /// <summary>Whether a draft stands.</summary>
    /// <param name="p">The main model's probability of the draft.</param>
    /// <param name="q">The probability with which it was drafted, above 0.</param>
    /// <param name="uniform">A random number in [0, 1).</param>
    public static bool Accepts(double p, double q, double uniform) => uniform * q < p;

    /// <summary>p ← max(0, p - q), from which the replacement of a refused draft is drawn.</summary>
    /// <returns>False if nothing is left, which rounding alone can cause (p and q are then the same).</returns>
    public static bool Residual(Span<double> p, ReadOnlySpan<double> q)
    {
        bool any = false;
        for (int i = 0; i < p.Length; i++)
        {
            p[i] = Math.Max(0, p[i] - q[i]);
            any |= p[i] > 0;
        }

        return any;
    }
}
