using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>Every tensor that a checkpoint of a configuration has: name, shape, type and role, all derived from the configuration.</summary>
/// <remarks>Nothing is stored: sequences are made while they are read, so that a configuration with absurd sizes costs no memory. DeepSeek-V3 has 91,991
/// tensors.</remarks>
public sealed class TensorCatalog
{
    private static readonly (TensorRole Role, int Expert)[] _denseRoles = [(TensorRole.DenseGate, -1), (TensorRole.DenseUp, -1), (TensorRole.DenseDown, -1)];
    private readonly BlockQuantization? _blocks;
    private readonly DType _plain;
    private readonly DType _matrix;

    /// <summary>The catalog of a configuration.</summary>
    /// <param name="config">A valid configuration.</param>
    public TensorCatalog(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        _blocks = config.Quantization;
        _plain = config.WeightType;
        _matrix = _blocks is null ? config.WeightType : DType.F8E4M3;
    }

    /// <summary>The configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>Every tensor: embedding, layers, final norm, head, then MTP modules; inside a layer in the order of the computation; scales behind their
    /// weight.</summary>
    public IEnumerable<TensorSpec> Tensors => Main.Concat(Mtp);

    /// <summary>The tensors of the main model: layers 0 … L - 1 and what is outside the layers.</summary>
    public IEnumerable<TensorSpec> Main
    {
        get
        {
            yield return Get(TensorRole.Embedding);
            for (int l = 0; l < Config.Layers; l++)
            {
                foreach (var tensor in Layer(l)) yield return tensor;
            }

            yield return Get(TensorRole.FinalNorm);
            yield return Get(TensorRole.Head);
        }
    }

    /// <summary>The tensors of the MTP modules, copies included.</summary>
    public IEnumerable<TensorSpec> Mtp => Enumerable.Range(Config.Layers, Config.MtpLayers).SelectMany(Layer);

    /// <summary>The numbers of the model's own, MTP modules included: <see cref="Tensors"/> without scales and copies.</summary>
    public IEnumerable<TensorSpec> Parameters => Tensors.Where(t => t.IsParameter);

    /// <summary>The tensors of one layer.</summary>
    /// <param name="layer">0 … L - 1, or L … L + D - 1 for an MTP module.</param>
    /// <returns>In the order of the computation.</returns>
    public IEnumerable<TensorSpec> Layer(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, Config.Layers + Config.MtpLayers);
        return LayerRoles(layer).SelectMany(place => Stored(Get(place.Role, layer, place.Expert)));
    }

    /// <summary>The tensor with a role.</summary>
    /// <param name="role">The role, not <see cref="TensorRole.BlockScales"/> (see <see cref="Scales"/>).</param>
    /// <param name="layer">Its layer, for a role inside the layers.</param>
    /// <param name="expert">Its expert, for a role inside an expert.</param>
    /// <returns>The tensor, whether or not this configuration uses the role in that layer.</returns>
    public TensorSpec Get(TensorRole role, int layer = -1, int expert = -1)
    {
        var c = Config;
        long d = c.HiddenSize, v = c.VocabularySize, queries = (long)c.Heads * c.QueryHeadWidth, rank = c.QueryLatentRank ?? 0;
        return role switch
        {
            TensorRole.Embedding => new("model.embed_tokens.weight", role, _plain, new Shape(v, d)),
            TensorRole.FinalNorm => new("model.norm.weight", role, _plain, new Shape(d)),
            TensorRole.Head => new("lm_head.weight", role, _plain, new Shape(v, d)),
            TensorRole.AttentionNorm => Vector("input_layernorm", d),
            TensorRole.MlpNorm => Vector("post_attention_layernorm", d),
            TensorRole.Query => Matrix("self_attn.q_proj", queries, d),
            TensorRole.QueryDown => Matrix("self_attn.q_a_proj", rank, d),
            TensorRole.QueryLatentNorm => Vector("self_attn.q_a_layernorm", rank),
            TensorRole.QueryUp => Matrix("self_attn.q_b_proj", queries, rank),
            TensorRole.LatentDown => Matrix("self_attn.kv_a_proj_with_mqa", c.CacheWidth, d),
            TensorRole.LatentNorm => Vector("self_attn.kv_a_layernorm", c.LatentRank),
            TensorRole.LatentUp => Matrix("self_attn.kv_b_proj", (long)c.Heads * (c.NopeWidth + c.ValueWidth), c.LatentRank),
            TensorRole.AttentionOutput => Matrix("self_attn.o_proj", d, (long)c.Heads * c.ValueWidth),
            TensorRole.DenseGate => Matrix("mlp.gate_proj", c.DenseWidth, d),
            TensorRole.DenseUp => Matrix("mlp.up_proj", c.DenseWidth, d),
            TensorRole.DenseDown => Matrix("mlp.down_proj", d, c.DenseWidth),
            TensorRole.Router => Plain("mlp.gate.weight", new Shape(c.RoutedExperts, d)),
            TensorRole.RouterBias => Plain("mlp.gate.e_score_correction_bias", new Shape(c.RoutedExperts)) with { Type = DType.F32 },
            TensorRole.ExpertGate => Matrix($"mlp.experts.{expert}.gate_proj", c.ExpertWidth, d),
            TensorRole.ExpertUp => Matrix($"mlp.experts.{expert}.up_proj", c.ExpertWidth, d),
            TensorRole.ExpertDown => Matrix($"mlp.experts.{expert}.down_proj", d, c.ExpertWidth),
            TensorRole.SharedGate => Matrix("mlp.shared_experts.gate_proj", c.SharedWidth, d),
            TensorRole.SharedUp => Matrix("mlp.shared_experts.up_proj", c.SharedWidth, d),
            TensorRole.SharedDown => Matrix("mlp.shared_experts.down_proj", d, c.SharedWidth),
            TensorRole.MtpEmbeddingNorm => Vector("enorm", d),
            TensorRole.MtpHiddenNorm => Vector("hnorm", d),
            TensorRole.MtpProjection => Plain("eh_proj.weight", new Shape(d, 2 * d)),
            TensorRole.MtpFinalNorm => Vector("shared_head.norm", d),
            TensorRole.MtpEmbeddingCopy => Plain("embed_tokens.weight", new Shape(v, d)) with { CopyOf = "model.embed_tokens.weight" },
            TensorRole.MtpHeadCopy => Plain("shared_head.head.weight", new Shape(v, d)) with { CopyOf = "lm_head.weight" },
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Scales belong to a weight; ask for them with Scales."),
        };

        TensorSpec Plain(string name, Shape shape) => new($"model.layers.{layer}.{name}", role, _plain, shape, layer, expert);
        TensorSpec Vector(string name, long length) => Plain($"{name}.weight", new Shape(length));
        TensorSpec Matrix(string name, long rows, long columns) => Plain($"{name}.weight", new Shape(rows, columns)) with { Type = _matrix };
    }

    /// <summary>The scales of a weight that is stored in FP8 blocks.</summary>
    /// <param name="weight">A matrix.</param>
    /// <returns>The scales, [⌈rows / block rows⌉, ⌈columns / block columns⌉]; null if the configuration has no FP8 blocks or does not quantise that
    /// matrix.</returns>
    public TensorSpec? Scales(TensorSpec weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (_blocks is null || weight.Type != DType.F8E4M3) return null;
        var shape = new Shape(Blocks(weight.Shape.Rows, _blocks.BlockRows), Blocks(weight.Shape.Columns, _blocks.BlockColumns));
        return new(weight.Name + TensorSpec.ScaleSuffix, TensorRole.BlockScales, DType.F32, shape, weight.Layer, weight.Expert);

        static long Blocks(long length, long block) => (length + block - 1) / block;
    }

    private IEnumerable<TensorSpec> Stored(TensorSpec tensor)
    {
        yield return tensor;
        if (Scales(tensor) is { } scales) yield return scales;
    }

    private IEnumerable<(TensorRole Role, int Expert)> LayerRoles(int layer)
    {
        bool mtp = layer >= Config.Layers;
        if (mtp)
        {
            yield return (TensorRole.MtpEmbeddingCopy, -1);
            yield return (TensorRole.MtpEmbeddingNorm, -1);
            yield return (TensorRole.MtpHiddenNorm, -1);
            yield return (TensorRole.MtpProjection, -1);
        }

        yield return (TensorRole.AttentionNorm, -1);
        if (Config.HasQueryLatent)
        {
            yield return (TensorRole.QueryDown, -1);
            yield return (TensorRole.QueryLatentNorm, -1);
            yield return (TensorRole.QueryUp, -1);
        }
        else
        {
            yield return (TensorRole.Query, -1);
        }

        yield return (TensorRole.LatentDown, -1);
        yield return (TensorRole.LatentNorm, -1);
        yield return (TensorRole.LatentUp, -1);
        yield return (TensorRole.AttentionOutput, -1);
        yield return (TensorRole.MlpNorm, -1);
        foreach (var place in Config.IsMixtureOfExperts(layer) ? ExpertRoles() : _denseRoles) yield return place;

        if (!mtp) yield break;
        yield return (TensorRole.MtpFinalNorm, -1);
        yield return (TensorRole.MtpHeadCopy, -1);
    }

    private IEnumerable<(TensorRole Role, int Expert)> ExpertRoles()
    {
        yield return (TensorRole.Router, -1);
        if (Config.Choice == ChoiceMethod.BiasCorrected) yield return (TensorRole.RouterBias, -1);
        for (int e = 0; e < Config.RoutedExperts; e++)
        {
            yield return (TensorRole.ExpertGate, e);
            yield return (TensorRole.ExpertUp, e);
            yield return (TensorRole.ExpertDown, e);
        }

        if (Config.SharedExperts == 0) yield break;
        yield return (TensorRole.SharedGate, -1);
        yield return (TensorRole.SharedUp, -1);
        yield return (TensorRole.SharedDown, -1);
    }
}
