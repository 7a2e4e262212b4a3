using System.Text;
using Hadal.Model.Configuration;

namespace Hadal.Model.Tests.Configuration;

public class ConfigMistakeTests
{
    [Theory]
    [InlineData("model_type", "remove", "model_type is missing")]
    [InlineData("model_type", "\"llama\"", "model_type is \"llama\", but must be \"deepseek_v3\" or \"deepseek_v2\"")]
    [InlineData("n_routed_experts", "257", "n_routed_experts is 257, but must be a multiple of 8, the number of groups (n_group)")]
    [InlineData("topk_group", "9", "topk_group is 9, but must be between 1 and 8, the number of groups (n_group)")]
    [InlineData("num_experts_per_tok", "129", "num_experts_per_tok is 129, but must be at most 128, what 4 kept groups (topk_group) of 32 experts hold")]
    [InlineData("num_experts_per_tok", "257", "num_experts_per_tok is 257, but must be between 1 and 256")]
    [InlineData("num_experts_per_tok", "null", "num_experts_per_tok is 0, but must be between 1 and 256")]
    [InlineData("n_group", "256", "n_group is 256, but must be at most 128: noaux_tc ranks a group by its two best experts", "num_experts_per_tok", "4")]
    [InlineData("scoring_func", "\"relu\"", "scoring_func is \"relu\", but must be \"sigmoid\" or \"softmax\"")]
    [InlineData("topk_method", "\"best\"", "topk_method is \"best\", but must be \"greedy\" or \"group_limited_greedy\" or \"noaux_tc\"")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act is \"gelu\", but must be \"silu\"")]
    [InlineData("attention_bias", "true", "attention_bias is true, but must be false")]
    [InlineData("tie_word_embeddings", "true", "tie_word_embeddings is true, but must be false")]
    [InlineData("qk_rope_head_dim", "63", "qk_rope_head_dim is 63, but must be even")]
    [InlineData("num_key_value_heads", "8", "num_key_value_heads is 8, but must be 128 as num_attention_heads is")]
    [InlineData("hidden_size", "0", "hidden_size is 0, but must be between 1 and 16777216")]
    [InlineData("hidden_size", "-7168", "hidden_size is -7168, but must be between")]
    [InlineData("hidden_size", "7168.5", "hidden_size is 7168.5, but must be a whole number")]
    [InlineData("hidden_size", "\"7168\"", "hidden_size is \"7168\", but must be a whole number")]
    [InlineData("hidden_size", "99999999999999999999", "but must be a whole number")]
    [InlineData("num_attention_heads", "16777216", "num_attention_heads is 16777216, but must be smaller", "num_key_value_heads", "16777216")]
    [InlineData("num_hidden_layers", "1000000", "num_hidden_layers is 1000000, but must be between 1 and 10000")]
    [InlineData("first_k_dense_replace", "62", "first_k_dense_replace is 62, but must be between 0 and 61")]
    [InlineData("moe_layer_freq", "0", "moe_layer_freq is 0, but must be between 1")]
    [InlineData("rms_norm_eps", "0", "rms_norm_eps is 0, but must be above 0 and at most 1")]
    [InlineData("rms_norm_eps", "1e999", "rms_norm_eps is 1e999, but must be above 0 and at most 1")]
    [InlineData("rope_theta", "1", "rope_theta is 1, but must be above 1")]
    [InlineData("norm_topk_prob", "1", "norm_topk_prob is 1, but must be true or false")]
    [InlineData("eos_token_id", "129280", "eos_token_id is 129280, but must be below 129280")]
    [InlineData("eos_token_id", "[1, -1]", "eos_token_id is [1,-1], but must be a token id or a list of them")]
    [InlineData("bos_token_id", "-1", "bos_token_id is -1, but must be between 0")]
    [InlineData("torch_dtype", "\"int8\"", "torch_dtype is \"int8\", but must be \"bfloat16\" or \"float32\" or \"float16\"")]
    [InlineData("rope_scaling", "[]", "rope_scaling is [], but must be an object or null")]
    [InlineData("rope_scaling", """{ "type": "linear", "factor": 4 }""", "rope_scaling.type is \"linear\", but must be \"yarn\" or \"default\"")]
    [InlineData("rope_scaling", """{ "type": "yarn" }""", "rope_scaling.factor is missing")]
    [InlineData("rope_scaling", """{ "factor": 4 }""", "rope_scaling.type is missing")]
    [InlineData("rope_scaling", """{ "type": "yarn", "factor": 0.5 }""", "rope_scaling.factor is 0.5, but must be above")]
    [InlineData("rope_scaling", """{ "type": "yarn", "factor": 4, "beta_fast": 1, "beta_slow": 2 }""", "rope_scaling.beta_fast is 1, but must be at least 2")]
    [InlineData("rope_parameters", """{ "rope_type": "yarn", "factor": 32 }""", "rope_scaling and rope_parameters disagree")]
    [InlineData("rope_parameters", """{ "rope_theta": 50000 }""", "rope_scaling and rope_parameters disagree")]
    [InlineData("rope_parameters", """{ "rope_theta": 50000 }""", "rope_theta is 10000 in one place and 50000 in another", "rope_scaling", "null")]
    [InlineData("quantization_config", """{ "quant_method": "awq" }""", "quantization_config.quant_method is \"awq\", but must be \"fp8\"")]
    [InlineData("quantization_config", """{ "quant_method": "fp8", "weight_block_size": [128, 0] }""", "weight_block_size is [128,0], but must be two positive numbers")]
    [InlineData("quantization_config", """{ "quant_method": "fp8", "scale_fmt": "e5m2" }""", "quantization_config.scale_fmt is \"e5m2\"")]
    [InlineData("num_hidden_layers", "10000", "the sizes multiply to more parameters than 63 bits can count",
        "hidden_size", "16777216", "moe_intermediate_size", "16777216")]
    public void A_mistake_is_one_sentence_that_names_path_field_value_and_what_is_right(string field, string value, string message, params string[] more)
    {
        string text = Variants.With(Variants.V3, field, value);
        for (int i = 0; i < more.Length; i += 2) text = Variants.With(text, more[i], more[i + 1]);
        var e = Assert.Throws<ConfigException>(() => Variants.Parse(text, "/models/x/config.json"));
        Assert.StartsWith("/models/x/config.json: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.NotNull(e.Field);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("not json", "not valid JSON")]
    [InlineData("[]", "must hold one JSON object")]
    [InlineData("""{ "model_type": "deepseek_v3", }""", "not valid JSON")]
    [InlineData("""{ "model_type": "deepseek_v3", "n_group": 8, "n_group": 4 }""", "not valid JSON")]
    [InlineData("""{ "model_type": "deepseek_v3", "x": "\ud800" }""", "not valid Unicode")]
    [InlineData("""{ "model_type": "deepseek_v3", "\ud800": 1 }""", "not valid Unicode")]
    public void A_text_that_is_no_configuration_is_one_sentence(string text, string message)
    {
        var e = Assert.Throws<ConfigException>(() => Variants.Parse(text));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_one_sentence()
    {
        var e = Assert.Throws<ConfigException>(() => ModelConfig.Parse([0x7B, 0xFF, 0x7D]));
        Assert.Contains("not UTF-8", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_a_folder_without_one_say_so()
    {
        using var folder = new TemporaryFolder();
        foreach (string path in new[] { folder.Path, folder.File("x"), Path.Combine(folder.Path, "a", "b") })
            Assert.Contains("there is no such file", Assert.Throws<ConfigException>(() => ModelConfig.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_made_in_code_is_checked_the_same_way()
    {
        var e = Assert.Throws<ConfigException>(() => new ModelConfig { KeptGroups = 9 }.Validate());
        Assert.Equal("topk_group", e.Field);
        Assert.Throws<ConfigException>(() => new ModelConfig { RopeTheta = double.NaN }.Validate());
        Assert.Throws<ConfigException>(() => new ModelConfig { NormEpsilon = double.NaN }.Validate());
        Assert.Throws<ConfigException>(() => new ModelConfig { WeightType = DTypeOfIntegers }.Validate());
        Assert.Throws<ConfigException>(() => new ModelConfig { Heads = -1 }.Validate());
    }

    private static Hadal.Numerics.DType DTypeOfIntegers => Hadal.Numerics.DType.I8;

    /// <summary>Damaged files: whatever bytes change, the answer is a configuration that works or a <see cref="ConfigException"/>.</summary>
    [Fact]
    public void Ten_thousand_damaged_files_give_an_exception_of_their_own_or_a_configuration_that_works()
    {
        byte[][] seeds = [.. Variants.All.Values.Append(Variants.Changed(Variants.V3, json =>
        {
            var rope = json["rope_scaling"]!.DeepClone();
            rope["rope_theta"] = 10000;
            json["rope_parameters"] = rope;
        })).Select(Encoding.UTF8.GetBytes)];
        int good = 0;
        Mutations.Run(seeds, seed: 1, count: 10_000, mostBytes: 4 << 20, text =>
        {
            try
            {
                var c = ModelConfig.Parse(text);
                _ = (c with { InitializerRange = 0.5, Yarn = null, Quantization = null }).ToJson();
                Assert.True(c.AttentionScale > 0 && c.ParameterCount > 0 && c.CacheBytesPerToken > 0 && c.ActiveParameterCount > 0);
                if (c.RoutedExperts > 0) Assert.True(c.Router.GroupSize * c.Router.Groups == c.RoutedExperts);
                Assert.NotEmpty(new Hadal.Model.Checkpoints.TensorCatalog(c).Tensors.Take(100).ToList());
                good++;
            }
            catch (ConfigException)
            {
            }
        });
        Assert.InRange(good, 100, 9_000);
    }
}
