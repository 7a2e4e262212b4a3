using System.Collections.Immutable;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Configuration;

/// <summary>The architecture of a model of the DeepSeek-V2 / V3 family: what <c>config.json</c> of a Hugging Face folder says.</summary>
/// <remarks>
/// <para>Immutable. <see cref="Load"/> and <see cref="Parse"/> read a file and check it; fields that Hadal does not know are kept and written back by
/// <see cref="ToJson"/>. In code, <c>new ModelConfig { … }</c> starts from DeepSeek-V3 and <c>with</c> makes variants; <see cref="Validate"/> checks
/// them.</para>
/// <para>Two configurations are equal if they write the same <c>config.json</c>.</para>
/// </remarks>
public sealed partial record ModelConfig
{
    /// <summary><c>model_type</c>: <c>deepseek_v3</c> or <c>deepseek_v2</c>.</summary>
    public string ModelType { get; init; } = "deepseek_v3";

    /// <summary><c>vocab_size</c>: rows of the embedding and of the output head, V.</summary>
    public int VocabularySize { get; init; } = 129280;

    /// <summary><c>hidden_size</c>: width of the residual stream, d.</summary>
    public int HiddenSize { get; init; } = 7168;

    /// <summary><c>num_hidden_layers</c>: decoder layers of the main model, L.</summary>
    public int Layers { get; init; } = 61;

    /// <summary><c>num_nextn_predict_layers</c>: multi-token prediction modules, D, at layer indices L … L + D - 1. 0 when the file does not say.</summary>
    public int MtpLayers { get; init; } = 1;

    /// <summary><c>num_attention_heads</c>.</summary>
    public int Heads { get; init; } = 128;

    /// <summary><c>q_lora_rank</c>: width of the query latent; null for a single query projection.</summary>
    public int? QueryLatentRank { get; init; } = 1536;

    /// <summary><c>kv_lora_rank</c>: width of the key-value latent.</summary>
    public int LatentRank { get; init; } = 512;

    /// <summary><c>qk_nope_head_dim</c>: per head, width of the part of query and key without position.</summary>
    public int NopeWidth { get; init; } = 128;

    /// <summary><c>qk_rope_head_dim</c>: per head, width of the rotary part; even.</summary>
    public int RopeWidth { get; init; } = 64;

    /// <summary><c>v_head_dim</c>: per head, width of the value.</summary>
    public int ValueWidth { get; init; } = 128;

    /// <summary><c>intermediate_size</c>: inner width of a dense MLP.</summary>
    public int DenseWidth { get; init; } = 18432;

    /// <summary><c>moe_intermediate_size</c>: inner width of one expert.</summary>
    public int ExpertWidth { get; init; } = 2048;

    /// <summary><c>n_routed_experts</c>: routed experts of a layer, N_r; 0 for a model without experts.</summary>
    public int RoutedExperts { get; init; } = 256;

    /// <summary><c>n_shared_experts</c>: shared experts, stored as one MLP of <see cref="SharedWidth"/>; may be 0.</summary>
    public int SharedExperts { get; init; } = 1;

    /// <summary><c>num_experts_per_tok</c>: routed experts that a token activates, K_r.</summary>
    public int ExpertsPerToken { get; init; } = 8;

    /// <summary><c>first_k_dense_replace</c>: the first layers, which have a dense MLP.</summary>
    public int DenseLayers { get; init; } = 3;

    /// <summary><c>moe_layer_freq</c>: behind the dense layers, every so many layers have experts.</summary>
    public int ExpertLayerInterval { get; init; } = 1;

    /// <summary><c>n_group</c>: groups of consecutive experts (one for each node in the report).</summary>
    public int Groups { get; init; } = 8;

    /// <summary><c>topk_group</c>: groups that a token may reach, M.</summary>
    public int KeptGroups { get; init; } = 4;

    /// <summary><c>scoring_func</c>.</summary>
    public ScoringFunction Scoring { get; init; } = ScoringFunction.Sigmoid;

    /// <summary><c>topk_method</c>.</summary>
    public ChoiceMethod Choice { get; init; } = ChoiceMethod.BiasCorrected;

    /// <summary><c>norm_topk_prob</c>: whether the gate weights of a token are divided by their sum.</summary>
    public bool NormalizeGates { get; init; } = true;

    /// <summary><c>routed_scaling_factor</c>: factor on the gate weights.</summary>
    public double GateScale { get; init; } = 2.5;

    /// <summary><c>aux_loss_alpha</c>: weight of the balance loss; written for the record, the trainer has its own (report section 4.2: 0.0001).</summary>
    public double BalanceLossWeight { get; init; } = 0.0001;

    /// <summary><c>max_position_embeddings</c>: longest context in tokens, at most 2^24 (FP32 counts no further).</summary>
    public int MaxPositions { get; init; } = 4096;

    /// <summary><c>rope_theta</c>: base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary><c>rope_scaling</c> or <c>rope_parameters</c>: the YaRN extension; null for plain rotary embedding.</summary>
    public YarnScaling? Yarn { get; init; }

    /// <summary>
    /// <c>rope_interleave</c>: true if rotary pairs lie side by side in the weights, (2i, 2i + 1); false if the rows were permuted to halves, (i, i + r/2).
    /// </summary>
    public bool RopeInterleave { get; init; } = true;

    /// <summary><c>rms_norm_eps</c>: ε of the norms over the residual stream.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary><c>initializer_range</c>: standard deviation of fresh weights (the report trained with 0.006).</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary><c>bos_token_id</c>; null if there is none.</summary>
    public int? BeginToken { get; init; } = 0;

    /// <summary><c>eos_token_id</c>: one or several tokens that end a text; may be empty.</summary>
    public ImmutableArray<int> EndTokens { get; init; } = [1];

    /// <summary><c>torch_dtype</c> (<c>dtype</c> in newer files): type of the weights that are not quantised: F32, BF16 or F16.</summary>
    public DType WeightType { get; init; } = DType.BF16;

    /// <summary><c>quantization_config</c>: FP8 blocks; null if the weights are not quantised.</summary>
    public BlockQuantization? Quantization { get; init; }

    /// <summary>ε of the norms over the query latent and the key-value latent: 1e-6 in every published implementation, whatever <see cref="NormEpsilon"/>
    /// is.</summary>
    public const double LatentNormEpsilon = 1e-6;

    /// <inheritdoc/>
    public bool Equals(ModelConfig? other) => other is not null && (ReferenceEquals(this, other) || ToJson() == other.ToJson());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ModelType, HiddenSize, Layers, VocabularySize, RoutedExperts);

    /// <summary>A short description, for instance <c>deepseek_v3, 61 layers of 7168</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{ModelType}, {Layers} layers of {HiddenSize}";
}
