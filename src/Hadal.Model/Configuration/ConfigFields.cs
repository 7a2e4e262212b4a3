using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Configuration;

/// <summary>The names and spellings of <c>config.json</c>, and the defaults that Hugging Face gives each model type.</summary>
internal static class ConfigFields
{
    private static readonly (string Name, ScoringFunction Value)[] _scorings = [("sigmoid", ScoringFunction.Sigmoid), ("softmax", ScoringFunction.Softmax)];

    private static readonly (string Name, ChoiceMethod Value)[] _choices =
    [
        ("greedy", ChoiceMethod.Greedy), ("group_limited_greedy", ChoiceMethod.GroupLimitedGreedy), ("noaux_tc", ChoiceMethod.BiasCorrected),
    ];

    private static readonly (string Name, DType Value)[] _types = [("bfloat16", DType.BF16), ("float32", DType.F32), ("float16", DType.F16)];

    /// <summary>Reads every known field.</summary>
    /// <exception cref="ConfigException">A field has the wrong type or is out of range, or asks for what no DeepSeek model has.</exception>
    public static ModelConfig Read(ConfigReader r)
    {
        string type = r.Text("model_type") ?? throw new ConfigException(r.Path, "model_type",
            "model_type is missing, but must be \"deepseek_v3\" or \"deepseek_v2\"");
        bool v3 = r.Choice("model_type", false, ("deepseek_v3", true), ("deepseek_v2", false));
        RefuseForeign(r);

        int heads = r.Size("num_attention_heads", v3 ? 128 : 32);
        int keyHeads = r.Size("num_key_value_heads", heads);
        if (keyHeads != heads)
            throw r.Wrong("num_key_value_heads", $"{keyHeads}", $"{heads} as num_attention_heads is: latent attention has one key head for each query head");

        var config = new ModelConfig
        {
            ModelType = type,
            VocabularySize = r.Size("vocab_size", v3 ? 129280 : 32000),
            HiddenSize = r.Size("hidden_size", v3 ? 7168 : 4096),
            Layers = r.Size("num_hidden_layers", v3 ? 61 : 32, most: 10_000),
            MtpLayers = r.Size("num_nextn_predict_layers", 0, least: 0, most: 64),
            Heads = heads,
            QueryLatentRank = r.Mentions("q_lora_rank") ? r.OptionalSize("q_lora_rank") : 1536,
            LatentRank = r.Size("kv_lora_rank", 512),
            NopeWidth = r.Size("qk_nope_head_dim", 128),
            RopeWidth = r.Size("qk_rope_head_dim", 64),
            ValueWidth = r.Size("v_head_dim", 128),
            DenseWidth = r.Size("intermediate_size", v3 ? 18432 : 11008),
            ExpertWidth = r.Size("moe_intermediate_size", v3 ? 2048 : 1407),
            RoutedExperts = Nullable(r, "n_routed_experts", v3 ? 256 : 64, most: 65536),
            SharedExperts = Nullable(r, "n_shared_experts", v3 ? 1 : 2, most: 65536),
            ExpertsPerToken = Nullable(r, "num_experts_per_tok", v3 ? 8 : 0, most: 65536),
            DenseLayers = r.Size("first_k_dense_replace", v3 ? 3 : 0, least: 0),
            ExpertLayerInterval = r.Size("moe_layer_freq", 1),
            Groups = r.Mentions("n_group") ? r.Size("n_group", 1) : v3 ? 8 : 1,
            KeptGroups = r.Mentions("topk_group") ? r.Size("topk_group", 1) : v3 ? 4 : 1,
            Scoring = r.Choice("scoring_func", v3 ? ScoringFunction.Sigmoid : ScoringFunction.Softmax, _scorings),
            Choice = r.Choice("topk_method", v3 ? ChoiceMethod.BiasCorrected : ChoiceMethod.Greedy, _choices),
            NormalizeGates = r.Flag("norm_topk_prob", v3),
            GateScale = r.Number("routed_scaling_factor", v3 ? 2.5 : 1, above: 0),
            BalanceLossWeight = r.Number("aux_loss_alpha", 0.001, above: -1),
            MaxPositions = r.Size("max_position_embeddings", v3 ? 4096 : 2048),
            RopeInterleave = r.Flag("rope_interleave", true),
            NormEpsilon = r.Number("rms_norm_eps", 1e-6, above: 0, most: 1),
            InitializerRange = r.Number("initializer_range", 0.02, above: -1e-300),
            BeginToken = r.Mentions("bos_token_id") ? r.OptionalSize("bos_token_id", least: 0) : v3 ? 0 : 1,
            EndTokens = EndTokens(r, v3),
            WeightType = r.Choice("dtype", r.Choice("torch_dtype", DType.BF16, _types), _types),
            Quantization = Quantization(r),
        };
        return RopeFields.Read(r, config);
    }

    /// <summary>Every field of DeepSeek-V3's own file, sorted by name as Hugging Face sorts them.</summary>
    public static JsonObject WriteNew(ModelConfig c)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(c.ModelType == "deepseek_v2" ? "DeepseekV2ForCausalLM" : "DeepseekV3ForCausalLM"),
            ["attention_bias"] = false,
            ["attention_dropout"] = 0.0,
        };
        foreach (var (name, value) in Values(c)) json[name] = value;
        json["ep_size"] = 1;
        json["hidden_act"] = "silu";
        json["pretraining_tp"] = 1;
        json["seq_aux"] = true;
        json["tie_word_embeddings"] = false;
        json["transformers_version"] = "4.46.3";
        json["use_cache"] = true;
        RopeFields.WriteNew(json, c);
        if (c.Quantization is { } q) json["quantization_config"] = Written(q);
        var sorted = json.OrderBy(field => field.Key, StringComparer.Ordinal);
        return new JsonObject(sorted.Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
    }

    /// <summary>Puts the fields in which two configurations differ into an object and leaves all others alone.</summary>
    public static JsonObject WriteChanges(JsonObject json, ModelConfig before, ModelConfig after)
    {
        var old = Values(before).ToDictionary(f => f.Name, f => f.Value);
        foreach (var (name, value) in Values(after))
        {
            if (JsonNode.DeepEquals(old[name], value)) continue;
            json[name == "torch_dtype" && json.ContainsKey("dtype") ? "dtype" : name] = value;
            if (name == "num_attention_heads" && json.ContainsKey("num_key_value_heads")) json["num_key_value_heads"] = value!.DeepClone();
        }

        RopeFields.WriteChanges(json, before, after);
        if (after.Quantization != before.Quantization)
        {
            if (after.Quantization is { } q) json["quantization_config"] = Written(q);
            else json.Remove("quantization_config");
        }

        return json;
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Values(ModelConfig c)
    {
        yield return ("aux_loss_alpha", c.BalanceLossWeight);
        yield return ("bos_token_id", c.BeginToken);
        yield return ("eos_token_id", c.EndTokens.Length switch
        {
            0 => null,
            1 => c.EndTokens[0],
            _ => new JsonArray([.. c.EndTokens.Select(t => (JsonNode)t)]),
        });
        yield return ("first_k_dense_replace", c.DenseLayers);
        yield return ("hidden_size", c.HiddenSize);
        yield return ("initializer_range", c.InitializerRange);
        yield return ("intermediate_size", c.DenseWidth);
        yield return ("kv_lora_rank", c.LatentRank);
        yield return ("max_position_embeddings", c.MaxPositions);
        yield return ("model_type", c.ModelType);
        yield return ("moe_intermediate_size", c.ExpertWidth);
        yield return ("moe_layer_freq", c.ExpertLayerInterval);
        yield return ("n_group", c.Groups);
        yield return ("n_routed_experts", c.RoutedExperts == 0 ? null : c.RoutedExperts);
        yield return ("n_shared_experts", c.SharedExperts == 0 ? null : c.SharedExperts);
        yield return ("norm_topk_prob", c.NormalizeGates);
        yield return ("num_attention_heads", c.Heads);
        yield return ("num_experts_per_tok", c.ExpertsPerToken == 0 ? null : c.ExpertsPerToken);
        yield return ("num_hidden_layers", c.Layers);
        yield return ("num_key_value_heads", c.Heads);
        yield return ("num_nextn_predict_layers", c.MtpLayers);
        yield return ("q_lora_rank", c.QueryLatentRank);
        yield return ("qk_nope_head_dim", c.NopeWidth);
        yield return ("qk_rope_head_dim", c.RopeWidth);
        yield return ("rms_norm_eps", c.NormEpsilon);
        yield return ("routed_scaling_factor", c.GateScale);
        yield return ("scoring_func", _scorings.First(s => s.Value == c.Scoring).Name);
        yield return ("topk_group", c.KeptGroups);
        yield return ("topk_method", _choices.First(s => s.Value == c.Choice).Name);
        yield return ("torch_dtype", _types.First(s => s.Value == c.WeightType).Name);
        yield return ("v_head_dim", c.ValueWidth);
        yield return ("vocab_size", c.VocabularySize);
        yield return ("rope_interleave", c.RopeInterleave);
    }

    /// <summary>Fields that change the mathematics in a way that no DeepSeek checkpoint uses.</summary>
    private static void RefuseForeign(ConfigReader r)
    {
        if (r.Text("hidden_act") is { } activation and not ("silu" or "swish"))
            throw r.Wrong("hidden_act", $"\"{activation}\"", "\"silu\"");
        if (r.Flag("attention_bias", false)) throw r.Wrong("attention_bias", "true", "false: attention projections have no bias here");
        if (r.Flag("mlp_bias", false)) throw r.Wrong("mlp_bias", "true", "false: MLPs have no bias here");
        if (r.Flag("tie_word_embeddings", false)) throw r.Wrong("tie_word_embeddings", "true", "false: embedding and output head are separate here");
    }

    private static int Nullable(ConfigReader r, string name, int missing, int most) => r.Mentions(name) ? r.OptionalSize(name, least: 0, most) ?? 0 : missing;

    private static ImmutableArray<int> EndTokens(ConfigReader r, bool v3)
    {
        if (!r.Mentions("eos_token_id")) return [v3 ? 1 : 2];
        if (r.Element("eos_token_id") is not { ValueKind: JsonValueKind.Array } list) return r.OptionalSize("eos_token_id", least: 0) is { } one ? [one] : [];
        var tokens = ImmutableArray.CreateBuilder<int>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out int token) || token < 0)
                throw r.Wrong("eos_token_id", list, "a token id or a list of them");
            tokens.Add(token);
        }

        return tokens.ToImmutable();
    }

    private static BlockQuantization? Quantization(ConfigReader outer)
    {
        if (outer.Object("quantization_config") is not { } r) return null;
        _ = r.Choice("quant_method", r.Has("quant_method") ? true : throw r.Wrong("quant_method", "missing", "\"fp8\""), ("fp8", true));
        _ = r.Choice("fmt", true, ("e4m3", true));
        bool powers = r.Choice("scale_fmt", false, ("ue8m0", true), ("float", false));
        if (r.Element("weight_block_size") is not { } blocks) return new BlockQuantization { PowerOfTwoScales = powers };
        int rows = 0, columns = 0;
        bool good = blocks.ValueKind == JsonValueKind.Array && blocks.GetArrayLength() == 2
            && blocks[0].ValueKind == JsonValueKind.Number && blocks[0].TryGetInt32(out rows) && rows is > 0 and <= ConfigReader.LargestSize
            && blocks[1].ValueKind == JsonValueKind.Number && blocks[1].TryGetInt32(out columns) && columns is > 0 and <= ConfigReader.LargestSize;
        if (!good) throw r.Wrong("weight_block_size", blocks, "two positive numbers, usually [128, 128]");
        return new BlockQuantization { BlockRows = rows, BlockColumns = columns, PowerOfTwoScales = powers };
    }

    private static JsonObject Written(BlockQuantization q)
    {
        var json = new JsonObject { ["activation_scheme"] = "dynamic", ["fmt"] = "e4m3", ["quant_method"] = "fp8" };
        if (q.PowerOfTwoScales) json["scale_fmt"] = "ue8m0";
        json["weight_block_size"] = new JsonArray(q.BlockRows, q.BlockColumns);
        return json;
    }
}
