using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Configuration;

namespace Hadal.Model.Tests.Configuration;

/// <summary>The <c>config.json</c> of the released models, from sections 1.1 and 1.2 of the specification.</summary>
internal static class Variants
{
    public const string V3 = """
        {
          "architectures": ["DeepseekV3ForCausalLM"],
          "attention_bias": false,
          "attention_dropout": 0.0,
          "auto_map": { "AutoConfig": "configuration_deepseek.DeepseekV3Config", "AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM" },
          "aux_loss_alpha": 0.001,
          "bos_token_id": 0,
          "eos_token_id": 1,
          "ep_size": 1,
          "first_k_dense_replace": 3,
          "hidden_act": "silu",
          "hidden_size": 7168,
          "initializer_range": 0.02,
          "intermediate_size": 18432,
          "kv_lora_rank": 512,
          "max_position_embeddings": 163840,
          "model_type": "deepseek_v3",
          "moe_intermediate_size": 2048,
          "moe_layer_freq": 1,
          "n_group": 8,
          "n_routed_experts": 256,
          "n_shared_experts": 1,
          "norm_topk_prob": true,
          "num_attention_heads": 128,
          "num_experts_per_tok": 8,
          "num_hidden_layers": 61,
          "num_key_value_heads": 128,
          "num_nextn_predict_layers": 1,
          "pretraining_tp": 1,
          "q_lora_rank": 1536,
          "qk_nope_head_dim": 128,
          "qk_rope_head_dim": 64,
          "quantization_config": { "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "weight_block_size": [128, 128] },
          "rms_norm_eps": 1e-06,
          "rope_scaling": { "beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn" },
          "rope_theta": 10000,
          "routed_scaling_factor": 2.5,
          "scoring_func": "sigmoid",
          "seq_aux": true,
          "tie_word_embeddings": false,
          "topk_group": 4,
          "topk_method": "noaux_tc",
          "torch_dtype": "bfloat16",
          "transformers_version": "4.33.1",
          "use_cache": true,
          "v_head_dim": 128,
          "vocab_size": 129280
        }
        """;

    public static string V31 => Changed(V3, json => json["quantization_config"]!["scale_fmt"] = "ue8m0");

    /// <summary>V2's fields; what differs from V3 has the values of the table.</summary>
    public static string V2 => Changed(V3, json =>
    {
        foreach (string absent in (string[])["quantization_config", "num_nextn_predict_layers", "aux_loss_alpha"]) json.Remove(absent);
        Set(json, """
            {
              "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "vocab_size": 102400, "bos_token_id": 100000, "eos_token_id": 100001,
              "hidden_size": 5120, "num_hidden_layers": 60, "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 12288,
              "first_k_dense_replace": 1, "moe_intermediate_size": 1536, "n_routed_experts": 160, "n_shared_experts": 2, "num_experts_per_tok": 6,
              "n_group": 8, "topk_group": 3, "scoring_func": "softmax", "topk_method": "group_limited_greedy", "norm_topk_prob": false, "routed_scaling_factor": 16.0
            }
            """);
        json["rope_scaling"]!["mscale"] = 0.707;
        json["rope_scaling"]!["mscale_all_dim"] = 0.707;
    });

    public static string V2Lite => Changed(V2, json => Set(json, """
        {
          "hidden_size": 2048, "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 10944,
          "moe_intermediate_size": 1408, "n_routed_experts": 64, "q_lora_rank": null, "n_group": 1, "topk_group": 1, "topk_method": "greedy",
          "routed_scaling_factor": 1.0
        }
        """));

    public static string Moonlight => Changed(V3, json =>
    {
        foreach (string absent in (string[])["quantization_config", "num_nextn_predict_layers"]) json.Remove(absent);
        Set(json, """
            {
              "vocab_size": 163840, "bos_token_id": 163584, "eos_token_id": 163586, "hidden_size": 2048, "num_hidden_layers": 27, "num_attention_heads": 16,
              "num_key_value_heads": 16, "intermediate_size": 11264, "first_k_dense_replace": 1, "moe_intermediate_size": 1408, "n_routed_experts": 64,
              "n_shared_experts": 2, "num_experts_per_tok": 6, "q_lora_rank": null, "n_group": 1, "topk_group": 1, "routed_scaling_factor": 2.446,
              "rope_theta": 50000.0, "rope_scaling": null, "max_position_embeddings": 8192, "rms_norm_eps": 1e-05
            }
            """);
    });

    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["V3"] = V3,
        ["V3.1"] = V31,
        ["V2"] = V2,
        ["V2-Lite"] = V2Lite,
        ["Moonlight"] = Moonlight,
    };

    public static ModelConfig Parse(string json, string name = "config.json") => ModelConfig.Parse(Encoding.UTF8.GetBytes(json), name);

    public static string Changed(string json, Action<JsonObject> change)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        change(node);
        return node.ToJsonString();
    }

    /// <summary>Sets one field to a JSON value; the text <c>remove</c> removes it.</summary>
    public static string With(string json, string field, string value) => Changed(json, node =>
    {
        if (value == "remove") node.Remove(field);
        else node[field] = JsonNode.Parse(value);
    });

    private static void Set(JsonObject json, string fields)
    {
        foreach (var (name, value) in JsonNode.Parse(fields)!.AsObject()) json[name] = value?.DeepClone();
    }
}
