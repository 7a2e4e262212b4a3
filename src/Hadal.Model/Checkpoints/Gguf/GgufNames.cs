using System.Globalization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>What GGUF files of the architecture <c>deepseek2</c> call the tensors.</summary>
internal static class GgufNames
{
    public const string Architecture = "deepseek2";
    public const string Embedding = "token_embd.weight";
    public const string FinalNorm = "output_norm.weight";
    public const string Head = "output.weight";

    /// <summary>The name of the tensor with a role; for a role inside an expert, that of the stack of all experts.</summary>
    public static string Of(TensorRole role, int layer = -1) => role switch
    {
        TensorRole.Embedding => Embedding,
        TensorRole.FinalNorm => FinalNorm,
        TensorRole.Head => Head,
        TensorRole.AttentionNorm => Weight(layer, "attn_norm"),
        TensorRole.Query => Weight(layer, "attn_q"),
        TensorRole.QueryDown => Weight(layer, "attn_q_a"),
        TensorRole.QueryLatentNorm => Weight(layer, "attn_q_a_norm"),
        TensorRole.QueryUp => Weight(layer, "attn_q_b"),
        TensorRole.LatentDown => Weight(layer, "attn_kv_a_mqa"),
        TensorRole.LatentNorm => Weight(layer, "attn_kv_a_norm"),
        TensorRole.LatentUp => Weight(layer, "attn_kv_b"),
        TensorRole.AttentionOutput => Weight(layer, "attn_output"),
        TensorRole.MlpNorm => Weight(layer, "ffn_norm"),
        TensorRole.DenseGate => Weight(layer, "ffn_gate"),
        TensorRole.DenseUp => Weight(layer, "ffn_up"),
        TensorRole.DenseDown => Weight(layer, "ffn_down"),
        TensorRole.Router => Weight(layer, "ffn_gate_inp"),
        TensorRole.RouterBias => Block(layer, "exp_probs_b.bias"),
        TensorRole.ExpertGate => Weight(layer, "ffn_gate_exps"),
        TensorRole.ExpertUp => Weight(layer, "ffn_up_exps"),
        TensorRole.ExpertDown => Weight(layer, "ffn_down_exps"),
        TensorRole.SharedGate => Weight(layer, "ffn_gate_shexp"),
        TensorRole.SharedUp => Weight(layer, "ffn_up_shexp"),
        TensorRole.SharedDown => Weight(layer, "ffn_down_shexp"),
        TensorRole.MtpProjection => Weight(layer, "nextn.eh_proj"),
        TensorRole.MtpEmbeddingNorm => Weight(layer, "nextn.enorm"),
        TensorRole.MtpHiddenNorm => Weight(layer, "nextn.hnorm"),
        TensorRole.MtpFinalNorm => Weight(layer, "nextn.shared_head_norm"),
        TensorRole.MtpEmbeddingCopy => Weight(layer, "nextn.embed_tokens"),
        TensorRole.MtpHeadCopy => Weight(layer, "nextn.shared_head_head"),
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "GGUF files have no such tensor."),
    };

    /// <summary>The key part of <c>kv_b_proj</c>, turned over per head: [heads, latent, nope].</summary>
    public static string LatentKeys(int layer) => Weight(layer, "attn_k_b");

    /// <summary>The value part of <c>kv_b_proj</c>: [heads, value, latent].</summary>
    public static string LatentValues(int layer) => Weight(layer, "attn_v_b");

    /// <summary>Gate and up matrices of all experts in one stack: [experts, 2 · width, hidden].</summary>
    public static string GateAndUp(int layer) => Weight(layer, "ffn_gate_up_exps");

    private static string Weight(int layer, string name) => Block(layer, name + ".weight");

    private static string Block(int layer, string name) => string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{name}");
}
