using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Experts;
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

    /// <summary>Where the experts live; null for all of them here.</summary>
    public IExpertExchange? Exchange { get; init; }

    /// <summary>What a layer computes again.</summary>
    public RecomputedParts PartsOf(int layer) => Recompute.Where(r => r.Covers(layer)).Aggregate(RecomputedParts.None, (parts, rule) => parts | rule.Flags);

    /// <summary>Finds what cannot be trained.</summary>
    /// <exception cref="ConfigException">The configuration or the options.</exception>
    public void Check(ModelConfig config)
    {
        if (!config.RopeInterleave)
            throw new ConfigException("config.json", "rope_interleave", "false: weights whose rotary rows were permuted to halves cannot be trained; convert them to interleaved pairs");
        if (Recompute.Select(r => r.Complaint(config.Layers + config.MtpLayers)).FirstOrDefault(c => c is not null) is { } complaint)
            throw new ConfigException("run file", "recompute", $"recompute: {complaint}");
    }
}
