using System.Collections.Immutable;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>The metadata of a <c>deepseek2</c> file as a configuration.</summary>
internal static class GgufConfig
{
    private const string P = GgufNames.Architecture + ".";

    /// <exception cref="CheckpointException">The file is of another architecture, or a key is missing or wrong.</exception>
    /// <exception cref="ConfigException">The values contradict each other.</exception>
    public static ModelConfig Read(GgufSet set)
    {
        var m = set.Metadata;
        string architecture = m.Text("general.architecture") ?? throw m.Missing("general.architecture");
        if (architecture != GgufNames.Architecture) throw m.Wrong("general.architecture", $"\"{GgufNames.Architecture}\": only models of DeepSeek-V2's and V3's architecture can be read");

        const int most = ConfigReader.LargestSize;
        int blocks = m.RequiredWhole(P + "block_count", 1, 10_064), mtp = m.Whole(P + "nextn_predict_layers", 0, 64) ?? 0;
        if (mtp >= blocks) throw m.Wrong(P + "nextn_predict_layers", $"less than {blocks}, the number of blocks, which counts them too");
        int heads = m.RequiredWhole(P + "attention.head_count", 1, most), rope = m.RequiredWhole(P + "rope.dimension_count", 2, most);
        var (key, value) = HeadWidths(m);
        if (key <= rope) throw m.Wrong(P + "rope.dimension_count", $"less than {key}, the width of a key");
        int dense = m.RequiredWhole(P + "feed_forward_length", 1, most), experts = m.Whole(P + "expert_count", 0, 65536) ?? 0;
        bool sigmoid = Sigmoid(m);
        int groups = experts == 0 ? 1 : m.Whole(P + "expert_group_count", 1, most) ?? 1;
        bool bias = set.Tensors.Any(t => t.Tensor.Name.EndsWith(".exp_probs_b.bias", StringComparison.Ordinal));
        var config = new ModelConfig
        {
            ModelType = sigmoid ? "deepseek_v3" : "deepseek_v2",
            VocabularySize = Vocabulary(set),
            HiddenSize = m.RequiredWhole(P + "embedding_length", 1, most),
            Layers = blocks - mtp,
            MtpLayers = mtp,
            Heads = heads,
            QueryLatentRank = m.Whole(P + "attention.q_lora_rank", 0, most) is { } rank and > 0 ? rank : null,
            LatentRank = m.RequiredWhole(P + "attention.kv_lora_rank", 1, most),
            NopeWidth = key - rope,
            RopeWidth = rope,
            ValueWidth = value,
            DenseWidth = dense,
            ExpertWidth = m.Whole(P + "expert_feed_forward_length", 1, most) ?? dense,
            RoutedExperts = experts,
            SharedExperts = experts == 0 ? 0 : m.Whole(P + "expert_shared_count", 0, 65536) ?? 0,
            ExpertsPerToken = experts == 0 ? 0 : m.RequiredWhole(P + "expert_used_count", 1, most),
            DenseLayers = Math.Min(m.Whole(P + "leading_dense_block_count", 0, most) ?? 0, blocks - mtp),
            Groups = groups,
            KeptGroups = experts == 0 ? 1 : m.Whole(P + "expert_group_used_count", 1, most) ?? groups,
            Scoring = sigmoid ? ScoringFunction.Sigmoid : ScoringFunction.Softmax,
            Choice = experts == 0 ? ChoiceMethod.Greedy : sigmoid || bias ? ChoiceMethod.BiasCorrected : groups > 1 ? ChoiceMethod.GroupLimitedGreedy : ChoiceMethod.Greedy,
            NormalizeGates = m.Flag(P + "expert_weights_norm") ?? false,
            GateScale = m.Number(P + "expert_weights_scale") is { } scale and not 0 ? scale : 1,
            MaxPositions = m.RequiredWhole(P + "context_length", 1, most),
            RopeTheta = m.Number(P + "rope.freq_base") ?? 10000,
            Yarn = Yarn(m),
            NormEpsilon = m.Number(P + "attention.layer_norm_rms_epsilon") ?? throw m.Missing(P + "attention.layer_norm_rms_epsilon"),
            BeginToken = Token(m, "bos"),
            EndTokens = EndTokens(m),
            WeightType = PlainType(set),
        };
        config.Validate(m.Path);
        return config;
    }

    private static (int Key, int Value) HeadWidths(GgufMetadata m)
    {
        const int most = ConfigReader.LargestSize;
        int? key = m.Whole(P + "attention.key_length_mla", 1, most), value = m.Whole(P + "attention.value_length_mla", 1, most);
        if (key is null != value is null)
            throw new CheckpointException(m.Path, null, $"only one of {P}attention.key_length_mla and {P}attention.value_length_mla is in the metadata; a file has both, or, if it is old, none");
        // Files from before April 2025 have one key and one value for each head, and the widths of those.
        return (key ?? m.RequiredWhole(P + "attention.key_length", 1, most), value ?? m.RequiredWhole(P + "attention.value_length", 1, most));
    }

    private static bool Sigmoid(GgufMetadata m) => m.Whole(P + "expert_gating_func") switch
    {
        null or 0 or 1 => false,
        2 => true,
        _ => throw m.Wrong(P + "expert_gating_func", "1 (softmax) or 2 (sigmoid)"),
    };

    private static YarnScaling? Yarn(GgufMetadata m)
    {
        const string s = P + "rope.scaling.";
        switch (m.Text(s + "type"))
        {
            case null or "none": return null;
            case "yarn": break;
            default: throw m.Wrong(s + "type", "\"yarn\" or \"none\"");
        }

        if (m.Number(s + "attn_factor") is { } factor && factor != 1) throw m.Wrong(s + "attn_factor", "1: DeepSeek's models have no factor of their own");

        // The file holds 0.1 · mscale_all_dim in FP32. It does not hold mscale, which counts as the same; without either, mscale is 1.
        double? stored = m.Number(s + "yarn_log_multiplier");
        double all = stored is null or 0 ? 0 : GgufMetadata.Shortest((float)stored.Value / 0.1f);
        return new YarnScaling
        {
            Factor = m.Number(s + "factor") ?? throw m.Missing(s + "factor"),
            OriginalMaxPositions = m.RequiredWhole(s + "original_context_length", 1, ConfigReader.LargestSize),
            BetaFast = m.Number(s + "yarn_beta_fast") ?? 32,
            BetaSlow = m.Number(s + "yarn_beta_slow") ?? 1,
            MScale = all == 0 ? 1 : all,
            MScaleAllDimensions = all,
        };
    }

    private static int Vocabulary(GgufSet set)
    {
        if (set.Metadata.Whole(P + "vocab_size", 1, ConfigReader.LargestSize) is { } size) return size;
        var (_, tensor) = set.Find(GgufNames.Embedding) ?? throw new CheckpointException(set.First.Path, GgufNames.Embedding, $"tensor {GgufNames.Embedding} is missing");
        return tensor.Shape.Rows <= ConfigReader.LargestSize
            ? (int)tensor.Shape.Rows
            : throw new CheckpointException(set.First.Path, GgufNames.Embedding, $"tensor {GgufNames.Embedding} has {tensor.Shape.Rows} rows, more than any vocabulary");
    }

    private static int? Token(GgufMetadata m, string name) => m.Whole($"tokenizer.ggml.{name}_token_id", 0, ConfigReader.LargestSize);

    private static ImmutableArray<int> EndTokens(GgufMetadata m) =>
        [.. new[] { Token(m, "eos"), Token(m, "eot") }.Where(t => t is not null).Select(t => t!.Value).Distinct()];

    private static DType PlainType(GgufSet set) => set.Find(GgufNames.Embedding)?.Tensor.Type.Element switch
    {
        DType.F32 => DType.F32,
        DType.F16 => DType.F16,
        _ => DType.BF16,
    };
}
