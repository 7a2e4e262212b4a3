using System.Globalization;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Configuration;

/// <summary>What must hold between the fields of a configuration.</summary>
internal static class ConfigRules
{
    /// <exception cref="ConfigException">The first rule that does not hold.</exception>
    public static void Check(ModelConfig c, string path)
    {
        var rules = new Rules(path);
        CheckRanges(c, rules);
        CheckAttention(c, rules);
        CheckExperts(c, rules);
        CheckRope(c, rules);
        CheckTokens(c, rules);
        rules.Require(c.WeightType is DType.F32 or DType.BF16 or DType.F16, "torch_dtype", c.WeightType, "bfloat16, float32 or float16");
        if (c.Quantization is { } q)
        {
            rules.Require(q.BlockRows > 0 && q.BlockColumns > 0, "quantization_config.weight_block_size",
                $"[{q.BlockRows}, {q.BlockColumns}]", "two positive numbers");
        }

        try
        {
            _ = checked(c.ParameterCount + c.MtpParameterCount);
        }
        catch (OverflowException)
        {
            throw new ConfigException(path, "hidden_size", "the sizes multiply to more parameters than 63 bits can count; some size is wrong");
        }
    }

    private static void CheckRanges(ModelConfig c, Rules rules)
    {
        rules.Require(c.ModelType is "deepseek_v3" or "deepseek_v2", "model_type", c.ModelType, "\"deepseek_v3\" or \"deepseek_v2\"");
        rules.Size("vocab_size", c.VocabularySize);
        rules.Size("hidden_size", c.HiddenSize);
        rules.Size("num_hidden_layers", c.Layers, most: 10_000);
        rules.Size("num_nextn_predict_layers", c.MtpLayers, least: 0, most: 64);
        rules.Size("num_attention_heads", c.Heads);
        if (c.QueryLatentRank is { } rank) rules.Size("q_lora_rank", rank);
        rules.Size("kv_lora_rank", c.LatentRank);
        rules.Size("qk_nope_head_dim", c.NopeWidth);
        rules.Size("qk_rope_head_dim", c.RopeWidth);
        rules.Size("v_head_dim", c.ValueWidth);
        rules.Size("intermediate_size", c.DenseWidth);
        rules.Size("moe_intermediate_size", c.ExpertWidth);
        rules.Size("n_routed_experts", c.RoutedExperts, least: 0, most: 65536);
        rules.Size("n_shared_experts", c.SharedExperts, least: 0, most: 65536);
        rules.Size("max_position_embeddings", c.MaxPositions);
        rules.Number("rms_norm_eps", c.NormEpsilon, most: 1);
        rules.Number("routed_scaling_factor", c.GateScale, most: 1e12);
        rules.Require(c.InitializerRange is >= 0 and <= 1e12, "initializer_range", c.InitializerRange, "zero or positive");
        rules.Require(double.IsFinite(c.BalanceLossWeight), "aux_loss_alpha", c.BalanceLossWeight, "a finite number");
    }

    private static void CheckAttention(ModelConfig c, Rules rules)
    {
        rules.Require(c.RopeWidth % 2 == 0, "qk_rope_head_dim", c.RopeWidth, "even: rotary dimensions come in pairs");
        rules.Width("num_attention_heads", c.Heads, "qk_nope_head_dim + qk_rope_head_dim", c.QueryHeadWidth);
        rules.Width("num_attention_heads", c.Heads, "qk_nope_head_dim + v_head_dim", c.NopeWidth + c.ValueWidth);
        rules.Width("n_shared_experts", c.SharedExperts, "moe_intermediate_size", c.ExpertWidth);
    }

    private static void CheckExperts(ModelConfig c, Rules rules)
    {
        rules.Require(c.DenseLayers >= 0 && c.DenseLayers <= c.Layers, "first_k_dense_replace", c.DenseLayers,
            $"between 0 and {c.Layers}, the number of layers (num_hidden_layers)");
        rules.Size("moe_layer_freq", c.ExpertLayerInterval);
        rules.Require(Enum.IsDefined(c.Scoring), "scoring_func", c.Scoring, "sigmoid or softmax");
        rules.Require(Enum.IsDefined(c.Choice), "topk_method", c.Choice, "greedy, group_limited_greedy or noaux_tc");
        if (c.RoutedExperts == 0) return;
        rules.Require(c.ExpertsPerToken >= 1 && c.ExpertsPerToken <= c.RoutedExperts, "num_experts_per_tok", c.ExpertsPerToken,
            $"between 1 and {c.RoutedExperts}, the number of experts (n_routed_experts)");
        rules.Require(c.Groups >= 1 && c.Groups <= c.RoutedExperts, "n_group", c.Groups,
            $"between 1 and {c.RoutedExperts}, the number of experts (n_routed_experts)");
        rules.Require(c.KeptGroups >= 1 && c.KeptGroups <= c.Groups, "topk_group", c.KeptGroups, $"between 1 and {c.Groups}, the number of groups (n_group)");
        rules.Require(c.RoutedExperts % c.Groups == 0, "n_routed_experts", c.RoutedExperts, $"a multiple of {c.Groups}, the number of groups (n_group)");
        if (c.Choice == ChoiceMethod.Greedy || c.Groups == 1) return;
        int size = c.RoutedExperts / c.Groups;
        rules.Require(c.ExpertsPerToken <= c.KeptGroups * size, "num_experts_per_tok", c.ExpertsPerToken,
            $"at most {c.KeptGroups * size}, what {c.KeptGroups} kept groups (topk_group) of {size} experts hold");
        rules.Require(c.Choice != ChoiceMethod.BiasCorrected || size >= 2, "n_group", c.Groups,
            $"at most {c.RoutedExperts / 2}: noaux_tc ranks a group by its two best experts");
    }

    private static void CheckRope(ModelConfig c, Rules rules)
    {
        rules.Require(c.RopeTheta is > 1 and <= 1e12, "rope_theta", c.RopeTheta, "above 1 and at most 1E+12");
        if (c.Yarn is not { } y) return;
        rules.Require(y.Factor is >= 1 and <= 1e6, "rope_scaling.factor", y.Factor, "between 1 and 1,000,000");
        rules.Size("rope_scaling.original_max_position_embeddings", y.OriginalMaxPositions);
        rules.Number("rope_scaling.beta_slow", y.BetaSlow, most: 1e9);
        rules.Require(y.BetaFast >= y.BetaSlow && y.BetaFast <= 1e9, "rope_scaling.beta_fast", y.BetaFast,
            $"at least {Rules.Text(y.BetaSlow)}, which beta_slow is");
        rules.Require(y.MScale is >= 0 and <= 1e3, "rope_scaling.mscale", y.MScale, "between 0 and 1000");
        rules.Require(y.MScaleAllDimensions is >= 0 and <= 1e3, "rope_scaling.mscale_all_dim", y.MScaleAllDimensions, "between 0 and 1000");
        rules.Require(y.AttentionFactor is null or (> 0 and <= 1e3), "rope_scaling.attention_factor", y.AttentionFactor, "above 0 and at most 1000");
    }

    private static void CheckTokens(ModelConfig c, Rules rules)
    {
        string inside = $"below {c.VocabularySize}, the size of the vocabulary (vocab_size)";
        if (c.BeginToken is { } begin) rules.Require(begin >= 0 && begin < c.VocabularySize, "bos_token_id", begin, inside);
        rules.Require(!c.EndTokens.IsDefault, "eos_token_id", "undefined", "a list, if an empty one");
        foreach (int end in c.EndTokens) rules.Require(end >= 0 && end < c.VocabularySize, "eos_token_id", end, inside);
    }

    private readonly struct Rules(string path)
    {
        public void Require(bool holds, string field, object? value, string right)
        {
            if (!holds) throw new ConfigException(path, field, $"{field} is {Text(value)}, but must be {right}");
        }

        public void Size(string field, int value, int least = 1, int most = ConfigReader.LargestSize) =>
            Require(value >= least && value <= most, field, value, $"between {least} and {most}");

        public void Number(string field, double value, double most) =>
            Require(value > 0 && value <= most, field, value, $"above 0 and at most {Text(most)}");

        /// <summary>Rows and columns of a matrix are counted in 31 bits.</summary>
        public void Width(string field, int value, string otherField, int other)
        {
            Require((long)value * other <= int.MaxValue, field, value, $"smaller: {value} times {other} ({otherField}) is wider than any matrix may be");
        }

        public static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
    }
}
