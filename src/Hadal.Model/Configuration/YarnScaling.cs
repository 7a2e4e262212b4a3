namespace Hadal.Model.Configuration;

/// <summary>How YaRN stretches the rotary embedding (<c>rope_scaling</c> with type <c>yarn</c>; report section 4.3).</summary>
public sealed record YarnScaling
{
    /// <summary>How many times longer the context becomes, s; at least 1.</summary>
    public double Factor { get; init; } = 40;

    /// <summary>Context length before the extension, L₀, in tokens.</summary>
    public int OriginalMaxPositions { get; init; } = 4096;

    /// <summary>Pairs that turn more often than this within L₀ keep their frequency.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Pairs that turn less often than this within L₀ are slowed down by <see cref="Factor"/>.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>μ of the numerator of <see cref="RotaryScale"/>.</summary>
    public double MScale { get; init; } = 1;

    /// <summary>μ of the softmax scale; 0 leaves the softmax scale alone.</summary>
    public double MScaleAllDimensions { get; init; }

    /// <summary>An explicit factor on cosine and sine (<c>attention_factor</c>); null derives it from the two μ.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Factor on cosine and sine: m(s, mscale) / m(s, mscale_all_dim), which is 1 for the released models.</summary>
    public double RotaryScale => AttentionFactor ?? Magnitude(MScale) / Magnitude(MScaleAllDimensions);

    /// <summary>Factor on the softmax scale: m(s, mscale_all_dim)², 1 if <see cref="MScaleAllDimensions"/> is 0.</summary>
    public double SoftmaxFactor => Magnitude(MScaleAllDimensions) * Magnitude(MScaleAllDimensions);

    /// <summary>m(s, μ) = 0.1 μ ln s + 1 for s &gt; 1, else 1.</summary>
    /// <param name="mu">μ.</param>
    /// <returns>m.</returns>
    public double Magnitude(double mu) => Factor > 1 ? 0.1 * mu * Math.Log(Factor) + 1 : 1;
}
