using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>The metadata of a GGUF file of a model.</summary>
internal static class GgufDescription
{
    private const string P = GgufNames.Architecture + ".";

    /// <exception cref="CheckpointException">The configuration has something that such files cannot say.</exception>
    public static GgufPairs Write(Checkpoint source, GgufTypeRules rules, string name)
    {
        var c = source.Config;
        RequireExpressible(source.Folder, c);
        int blocks = c.Layers + source.MtpLayers;
        var m = new GgufPairs().Add("general.architecture", GgufNames.Architecture).Add("general.name", name).Add("general.file_type", rules.FileType);
        if (rules.IsQuantised) m.Add("general.quantization_version", 2u);
        m.Add(P + "vocab_size", c.VocabularySize).Add(P + "context_length", c.MaxPositions).Add(P + "embedding_length", c.HiddenSize).Add(P + "block_count", blocks);
        if (source.MtpLayers > 0) m.Add(P + "nextn_predict_layers", source.MtpLayers);
        m.Add(P + "feed_forward_length", c.DenseWidth).Add(P + "expert_feed_forward_length", c.ExpertWidth)
            .Add(P + "leading_dense_block_count", c.RoutedExperts == 0 ? blocks : c.DenseLayers);
        if (c.RoutedExperts > 0) WriteExperts(m, c);
        // One key-value head that all heads share: attention over the latent (section 2.1.2 of the V2 report).
        m.Add(P + "attention.head_count", c.Heads).Add(P + "attention.head_count_kv", 1u);
        if (c.QueryLatentRank is { } rank) m.Add(P + "attention.q_lora_rank", rank);
        m.Add(P + "attention.kv_lora_rank", c.LatentRank).Add(P + "attention.key_length", c.CacheWidth).Add(P + "attention.value_length", c.LatentRank)
            .Add(P + "attention.key_length_mla", c.QueryHeadWidth).Add(P + "attention.value_length_mla", c.ValueWidth)
            .Add(P + "attention.layer_norm_rms_epsilon", (float)c.NormEpsilon)
            .Add(P + "rope.dimension_count", c.RopeWidth).Add(P + "rope.freq_base", (float)c.RopeTheta);
        if (c.Yarn is { } yarn) WriteYarn(m, yarn);
        return m;
    }

    /// <summary>Adds the tokenizer of a checkpoint: that of its folder, or the values of the GGUF file it is.</summary>
    /// <returns>False if it has none.</returns>
    public static bool AddTokenizer(GgufPairs pairs, Checkpoint source)
    {
        if (source.Metadata is { } metadata)
        {
            foreach (string key in metadata.Keys.Where(k => k.StartsWith(GgufTokenizer.Prefix, StringComparison.Ordinal))) pairs.AddRaw(key, metadata.Raw(key));
            return metadata.Has(GgufTokenizer.Model);
        }

        if (TokenizerFolder.FindFile(source.Folder) is not { } file) return false;
        GgufTokenizerPairs.Add(pairs, file, Tokenizer.Load(source.Folder), source.Config);
        return true;
    }

    private static void WriteExperts(GgufPairs m, ModelConfig c)
    {
        m.Add(P + "expert_count", c.RoutedExperts).Add(P + "expert_used_count", c.ExpertsPerToken).Add(P + "expert_shared_count", c.SharedExperts)
            .Add(P + "expert_gating_func", c.Scoring == ScoringFunction.Sigmoid ? 2u : 1u)
            .Add(P + "expert_weights_norm", c.NormalizeGates).Add(P + "expert_weights_scale", (float)c.GateScale);
        if (c.Router.Groups > 1) m.Add(P + "expert_group_count", c.Groups).Add(P + "expert_group_used_count", c.KeptGroups);
    }

    private static void WriteYarn(GgufPairs m, YarnScaling yarn)
    {
        const string s = P + "rope.scaling.";
        m.Add(s + "type", "yarn").Add(s + "factor", (float)yarn.Factor).Add(s + "original_context_length", yarn.OriginalMaxPositions)
            .Add(s + "yarn_beta_fast", (float)yarn.BetaFast).Add(s + "yarn_beta_slow", (float)yarn.BetaSlow);
        // The factor 0.1 belongs to this architecture's files; readers divide by it.
        if (yarn.MScaleAllDimensions != 0) m.Add(s + "yarn_log_multiplier", 0.1f * (float)yarn.MScaleAllDimensions);
    }

    private static void RequireExpressible(string path, ModelConfig c)
    {
        if (c.ExpertLayerInterval != 1 && c.RoutedExperts > 0)
            throw Inexpressible("moe_layer_freq", c.ExpertLayerInterval, "experts in every layer behind the dense ones");
        if (c.RoutedExperts > 0 && c.Scoring == ScoringFunction.Sigmoid && c.Choice != ChoiceMethod.BiasCorrected)
            throw Inexpressible("topk_method", c.Choice, "noaux_tc beside sigmoid scores");
        if (c.Yarn is not { } yarn) return;
        double kept = yarn.MScaleAllDimensions == 0 ? yarn.Magnitude(1) : 1;
        if (Math.Abs(yarn.RotaryScale - kept) > 1e-6) throw Inexpressible("rope_scaling.mscale", yarn.MScale, "an mscale that equals mscale_all_dim");

        CheckpointException Inexpressible(string field, object value, string right) =>
            new(path, null, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"config.json has {field} {value}, but a GGUF file of this architecture can only say {right}"));
    }
}
