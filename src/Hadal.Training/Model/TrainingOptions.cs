using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Precision;

namespace Hadal.Training.Model;

/// <summary>How a model is trained, apart from its data and its optimizer's rates.</summary>
internal sealed record TrainingOptions
{
    /// <summary>How precise products are and in which form activations are kept.</summary>
    public PrecisionPolicy Precision { get; init; } = PrecisionPolicy.Full;

    /// <summary>What is computed again in the backward instead of being kept.</summary>
    public IReadOnlyList<RecomputeRule> Recompute { get; init; } = [];

    /// <summary>Type of AdamW's moments, F32 or BF16.</summary>
    public DType Moments { get; init; } = DType.F32;

    /// <summary>What a layer computes again.</summary>
    public RecomputedParts PartsOf(int layer) => Recompute.Where(r => r.Covers(layer)).Aggregate(RecomputedParts.None, (parts, rule) => parts | rule.Flags);
}
