using System.Numerics;

namespace Hadal.Numerics.Formats.Blocks;

/// <summary>
/// Finds scales (and offsets) for which rounding loses least: Σ w (x - x̂)² over a sub-block, with weights w that count large elements more, since they
/// carry most of a dot product.
/// </summary>
/// <remarks>
/// For fixed codes q the best scale is a weighted least-squares fit, for a fixed scale the best codes are the nearest ones. Each start is a scale near
/// the one that spans the range; both steps alternate from there, and the best of all starts is kept.
/// </remarks>
internal static class ScaleSearch
{
    private const int Rounds = 2;

    /// <summary>A scale s for x ≈ s · q with q in [lowest, highest]; of either sign, so that the longer side of the codes meets the largest element.</summary>
    /// <param name="x">The elements, 16 or 32.</param>
    /// <param name="w">Their weights, positive.</param>
    /// <param name="lowest">The lowest code, negative.</param>
    /// <param name="highest">The highest code.</param>
    /// <returns>The scale; 0 if every element is 0.</returns>
    public static float Symmetric(ReadOnlySpan<float> x, ReadOnlySpan<float> w, int lowest, int highest)
    {
        float extreme = 0;
        foreach (float value in x)
        {
            if (MathF.Abs(value) > MathF.Abs(extreme)) extreme = value;
        }

        if (extreme == 0) return 0;
        float best = extreme / lowest;
        float least = SymmetricError(x, w, best, lowest, highest);
        for (int step = -8; step <= 8; step++)
        {
            float scale = extreme / (lowest - 0.125f * step);
            for (int round = 0; round < Rounds; round++)
            {
                scale = SymmetricFit(x, w, scale, lowest, highest);
                if (scale == 0 || !float.IsFinite(scale)) break;
                float error = SymmetricError(x, w, scale, lowest, highest);
                if (error < least) (best, least) = (scale, error);
            }
        }

        return best;
    }

    /// <summary>A scale s and an offset m, neither negative, for x ≈ s · q - m with q in [0, highest].</summary>
    /// <param name="x">The elements, 32.</param>
    /// <param name="w">Their weights, positive.</param>
    /// <param name="highest">The highest code.</param>
    /// <returns>Scale and offset.</returns>
    public static (float Scale, float Offset) WithOffset(ReadOnlySpan<float> x, ReadOnlySpan<float> w, int highest)
    {
        float low = 0, high = x[0];
        foreach (float value in x) (low, high) = (MathF.Min(low, value), MathF.Max(high, value));
        if (high <= low) return (0, -low);
        var best = (Scale: (high - low) / highest, Offset: -low);
        float least = OffsetError(x, w, best.Scale, best.Offset, highest);
        for (int step = -6; step <= 6; step++)
        {
            var trial = (Scale: (high - low) / (highest + 0.15f * step), Offset: -low);
            for (int round = 0; round < Rounds; round++)
            {
                trial = OffsetFit(x, w, trial.Scale, trial.Offset, highest);
                if (!(trial.Scale > 0) || !float.IsFinite(trial.Scale)) break;
                float error = OffsetError(x, w, trial.Scale, trial.Offset, highest);
                if (error < least) (best, least) = (trial, error);
            }
        }

        return best;
    }

    /// <summary>Weights of a sub-block: its root mean square plus the magnitude of each element.</summary>
    public static void Weigh(ReadOnlySpan<float> x, Span<float> w)
    {
        float squares = 0;
        foreach (float value in x) squares += value * value;
        float base0 = MathF.Sqrt(squares / x.Length);
        if (!(base0 > 0) || !float.IsFinite(base0)) base0 = 1;
        for (int i = 0; i < x.Length; i++) w[i] = base0 + MathF.Abs(x[i]);
    }

    private static float SymmetricFit(ReadOnlySpan<float> x, ReadOnlySpan<float> w, float scale, int lowest, int highest)
    {
        Vector<float> inverse = new(1 / scale), low = new(lowest), high = new(highest);
        Vector<float> xq = default, qq = default;
        for (int i = 0; i < x.Length; i += Vector<float>.Count)
        {
            Vector<float> v = new(x[i..]), weight = new(w[i..]);
            var q = Vector.Min(Vector.Max(Vector.Round(v * inverse), low), high);
            xq += weight * v * q;
            qq += weight * q * q;
        }

        return Vector.Sum(xq) / Vector.Sum(qq);
    }

    private static float SymmetricError(ReadOnlySpan<float> x, ReadOnlySpan<float> w, float scale, int lowest, int highest)
    {
        Vector<float> factor = new(scale), inverse = new(1 / scale), low = new(lowest), high = new(highest), sum = default;
        for (int i = 0; i < x.Length; i += Vector<float>.Count)
        {
            Vector<float> v = new(x[i..]), weight = new(w[i..]);
            var difference = v - factor * Vector.Min(Vector.Max(Vector.Round(v * inverse), low), high);
            sum += weight * difference * difference;
        }

        return Vector.Sum(sum);
    }

    // Least squares for two unknowns: [Σwqq Σwq; Σwq Σw] [s; -m] = [Σwxq; Σwx]. An offset below 0 cannot be stored; then the best scale for 0 is taken.
    private static (float Scale, float Offset) OffsetFit(ReadOnlySpan<float> x, ReadOnlySpan<float> w, float scale, float offset, int highest)
    {
        Vector<float> inverse = new(1 / scale), shift = new(offset), high = new(highest);
        Vector<float> sw = default, sq = default, sx = default, sqq = default, sxq = default;
        for (int i = 0; i < x.Length; i += Vector<float>.Count)
        {
            Vector<float> v = new(x[i..]), weight = new(w[i..]);
            var q = Vector.Min(Vector.Max(Vector.Round((v + shift) * inverse), Vector<float>.Zero), high);
            var wq = weight * q;
            sw += weight;
            sq += wq;
            sx += weight * v;
            sqq += wq * q;
            sxq += wq * v;
        }

        float n = Vector.Sum(sw), q1 = Vector.Sum(sq), x1 = Vector.Sum(sx), q2 = Vector.Sum(sqq), xq = Vector.Sum(sxq);
        float determinant = n * q2 - q1 * q1;
        if (!(determinant > 0)) return (0, offset);
        float fitted = (n * xq - q1 * x1) / determinant;
        float low = (q2 * x1 - q1 * xq) / determinant;
        return low > 0 ? (xq / q2, 0) : (fitted, -low);
    }

    private static float OffsetError(ReadOnlySpan<float> x, ReadOnlySpan<float> w, float scale, float offset, int highest)
    {
        Vector<float> factor = new(scale), inverse = new(1 / scale), shift = new(offset), high = new(highest), sum = default;
        for (int i = 0; i < x.Length; i += Vector<float>.Count)
        {
            Vector<float> v = new(x[i..]), weight = new(w[i..]);
            var q = Vector.Min(Vector.Max(Vector.Round((v + shift) * inverse), Vector<float>.Zero), high);
            var difference = v - (factor * q - shift);
            sum += weight * difference * difference;
        }

        return Vector.Sum(sum);
    }
}
