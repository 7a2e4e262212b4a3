namespace Hadal.Model.Checkpoints;

/// <summary>What a stored tensor is for. Matrices are [outputs, inputs] and there are no biases (report section 2.1 for the mathematics).</summary>
public enum TensorRole
{
    /// <summary><c>model.embed_tokens.weight</c> [V, d].</summary>
    Embedding,

    /// <summary><c>input_layernorm.weight</c> [d]: norm before attention.</summary>
    AttentionNorm,

    /// <summary><c>self_attn.q_proj.weight</c> [heads · (nope + rope), d]: the query without a latent.</summary>
    Query,

    /// <summary><c>self_attn.q_a_proj.weight</c> [query latent, d].</summary>
    QueryDown,

    /// <summary><c>self_attn.q_a_layernorm.weight</c> [query latent].</summary>
    QueryLatentNorm,

    /// <summary><c>self_attn.q_b_proj.weight</c> [heads · (nope + rope), query latent]; per head nope rows, then rope rows.</summary>
    QueryUp,

    /// <summary><c>self_attn.kv_a_proj_with_mqa.weight</c> [latent + rope, d]: latent rows, then the rows of the shared rotary key.</summary>
    LatentDown,

    /// <summary><c>self_attn.kv_a_layernorm.weight</c> [latent].</summary>
    LatentNorm,

    /// <summary><c>self_attn.kv_b_proj.weight</c> [heads · (nope + value), latent]; per head key rows, then value rows.</summary>
    LatentUp,

    /// <summary><c>self_attn.o_proj.weight</c> [d, heads · value].</summary>
    AttentionOutput,

    /// <summary><c>post_attention_layernorm.weight</c> [d]: norm before the MLP.</summary>
    MlpNorm,

    /// <summary><c>mlp.gate_proj.weight</c> [dense width, d].</summary>
    DenseGate,

    /// <summary><c>mlp.up_proj.weight</c> [dense width, d].</summary>
    DenseUp,

    /// <summary><c>mlp.down_proj.weight</c> [d, dense width].</summary>
    DenseDown,

    /// <summary><c>mlp.gate.weight</c> [experts, d].</summary>
    Router,

    /// <summary><c>mlp.gate.e_score_correction_bias</c> [experts], always FP32.</summary>
    RouterBias,

    /// <summary><c>mlp.experts.{e}.gate_proj.weight</c> [expert width, d].</summary>
    ExpertGate,

    /// <summary><c>mlp.experts.{e}.up_proj.weight</c> [expert width, d].</summary>
    ExpertUp,

    /// <summary><c>mlp.experts.{e}.down_proj.weight</c> [d, expert width].</summary>
    ExpertDown,

    /// <summary><c>mlp.shared_experts.gate_proj.weight</c> [shared · expert width, d].</summary>
    SharedGate,

    /// <summary><c>mlp.shared_experts.up_proj.weight</c> [shared · expert width, d].</summary>
    SharedUp,

    /// <summary><c>mlp.shared_experts.down_proj.weight</c> [d, shared · expert width].</summary>
    SharedDown,

    /// <summary><c>model.norm.weight</c> [d]: norm before the output head.</summary>
    FinalNorm,

    /// <summary><c>lm_head.weight</c> [V, d].</summary>
    Head,

    /// <summary>MTP: <c>enorm.weight</c> [d], norm over the embedding of the next token.</summary>
    MtpEmbeddingNorm,

    /// <summary>MTP: <c>hnorm.weight</c> [d], norm over the hidden state.</summary>
    MtpHiddenNorm,

    /// <summary>MTP: <c>eh_proj.weight</c> [d, 2d]; columns of the embedding first, then of the hidden state.</summary>
    MtpProjection,

    /// <summary>MTP: <c>shared_head.norm.weight</c> [d], a norm of its own before the shared head.</summary>
    MtpFinalNorm,

    /// <summary>MTP: <c>embed_tokens.weight</c> [V, d], a copy of <see cref="Embedding"/> that files may leave out.</summary>
    MtpEmbeddingCopy,

    /// <summary>MTP: <c>shared_head.head.weight</c> [V, d], a copy of <see cref="Head"/> that files may leave out.</summary>
    MtpHeadCopy,

    /// <summary><c>…weight_scale_inv</c>: the block scales of the FP8 weight before it, [⌈rows/128⌉, ⌈columns/128⌉] in FP32.</summary>
    BlockScales,
}
