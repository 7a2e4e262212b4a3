using Hadal.Model.Checkpoints;
using Hadal.Model.Checkpoints.Gguf;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Tests.Checkpoints.Gguf;

public class GgufRoundTripTests
{
    private static ModelConfig V3 => TinyModel.Config with { Yarn = new YarnScaling { Factor = 40, OriginalMaxPositions = 16, MScaleAllDimensions = 1 } };

    private static ModelConfig V2 => TinyModel.Config with
    {
        ModelType = "deepseek_v2",
        Scoring = ScoringFunction.Softmax,
        Choice = ChoiceMethod.Greedy,
        Groups = 1,
        KeptGroups = 1,
        NormalizeGates = false,
        GateScale = 1,
        QueryLatentRank = null,
        MtpLayers = 0,
        SharedExperts = 2,
        Yarn = new YarnScaling { Factor = 40, OriginalMaxPositions = 16, MScale = 0.707, MScaleAllDimensions = 0.707 },
    };

    public static TheoryData<string> Configurations => ["v3", "v2", "dense", "grouped"];

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Configuration_and_every_value_come_back(string name)
    {
        var config = name switch
        {
            "v3" => V3,
            "v2" => V2,
            "grouped" => V2 with { Choice = ChoiceMethod.GroupLimitedGreedy, Groups = 2, KeptGroups = 1, Yarn = null },
            _ => TinyModel.Dense(8, 12),
        };
        using var files = new TemporaryFolder();
        string gguf = Write(files, config, GgufWeights.F32);
        using var folder = Checkpoint.Open(files.File("hf"));
        using var file = Checkpoint.Open(gguf);
        Assert.True(file.IsGguf);
        Assert.Equal(config.MtpLayers, file.MtpLayers);
        // What only a config.json says is left at its default; what a model without experts does not use, too.
        var expected = config with { WeightType = DType.F32, BeginToken = null, EndTokens = [], ModelType = config.Scoring == ScoringFunction.Sigmoid && config.RoutedExperts > 0 ? "deepseek_v3" : "deepseek_v2" };
        if (name == "dense") expected = expected with { DenseLayers = file.Config.DenseLayers, GateScale = 1, NormalizeGates = false, Scoring = ScoringFunction.Softmax };
        Assert.Equal(expected.ToJson(), file.Config.ToJson());
        foreach (var tensor in folder.Catalog.Tensors)
        {
            Assert.Equal(tensor.Shape, file.Get(tensor.Name).Shape);
            Assert.Equal(Read(folder, tensor.Name), Read(file, tensor.Name));
        }
    }

    [Fact]
    public void Rows_in_any_cut_are_those_of_the_whole()
    {
        using var files = new TemporaryFolder();
        using var file = Checkpoint.Open(Write(files, V3, GgufWeights.F32));
        string name = file.Catalog.Get(TensorRole.LatentUp, 1).Name;
        var whole = Read(file, name);
        int columns = V3.LatentRank, rows = whole.Length / columns;
        for (int first = 0; first < rows; first++)
        {
            for (int count = 0; first + count <= rows; count++)
            {
                var part = new float[count * columns];
                file.ReadRows(name, first, count, part);
                Assert.Equal(whole.AsSpan(first * columns, count * columns).ToArray(), part);
            }
        }
    }

    [Fact]
    public void Norms_routers_and_biases_are_F32_and_matrices_the_type_asked_for()
    {
        using var files = new TemporaryFolder();
        using var file = Checkpoint.Open(Write(files, V3, GgufWeights.BF16));
        foreach (var tensor in file.Tensors)
        {
            bool plain = tensor.Shape.Rank == 1 || tensor.Name.Contains("ffn_gate_inp", StringComparison.Ordinal);
            Assert.Equal(plain ? DType.F32 : DType.BF16, tensor.Type);
        }

        Assert.Equal(DType.BF16, file.View("lm_head.weight").Type);
        Assert.Equal(new Shape(4, 8), file.View("model.layers.1.mlp.experts.3.up_proj.weight").Shape);
        Assert.Equal("lm_head.weight", Assert.Throws<CheckpointException>(() => file.ViewBlocks("lm_head.weight")).TensorName);
        Assert.Contains("put together from", Assert.Throws<CheckpointException>(() => file.View("model.layers.0.self_attn.kv_b_proj.weight")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_are_viewed_where_they_lie_and_decode_to_what_reading_gives()
    {
        using var files = new TemporaryFolder();
        var config = V3 with { HiddenSize = 256, ExpertWidth = 32 };
        using var file = Checkpoint.Open(Write(files, config, GgufWeights.Q4KM));
        const string name = "model.layers.1.mlp.experts.2.gate_proj.weight";
        Assert.Equal(BlockFormat.Q4K, file.Get(name).Blocks);
        var blocks = file.ViewBlocks(name);
        Assert.Equal((DType.U8, new Shape(32, 144)), (blocks.Type, blocks.Shape));
        Assert.Equal(new Shape(4, 32, 144), file.ViewBlocks("blk.1.ffn_gate_exps.weight").Shape);
        Assert.Contains("stored in blocks (Q4_K)", Assert.Throws<CheckpointException>(() => file.View(name)).Message, StringComparison.Ordinal);

        // The third expert lies behind the rows of the first two.
        Assert.Equal(file.ViewBlocks("blk.1.ffn_gate_exps.weight").ByteOffset + 2 * 32 * 144, blocks.ByteOffset);

        var values = new float[32 * 256];
        file.ReadRows(name, 0, 32, values);
        var original = new float[values.Length];
        TinyModel.Values(file.Catalog.Get(TensorRole.ExpertGate, 1, 2), 0, 32, original);
        // 4.5 bits: see the bounds of the formats; sines are no worse than normal values.
        Assert.InRange(Relative(original, values), 0.001, 0.1);
    }

    /// <summary>The choices of llama.cpp's quantiser, as its source has them: see docs/design/gguf.md.</summary>
    [Fact]
    public void The_mixture_is_that_of_the_published_quantiser()
    {
        var rules = new GgufTypeRules(GgufWeights.Q4KM, blocks: 62, experts: 256);
        var wide = new Shape(7168, 2048);
        Assert.Equal(GgufTensorType.Q6K, rules.Choose("output.weight", wide, -1));
        Assert.Equal(GgufTensorType.Q4K, rules.Choose("token_embd.weight", wide, -1));
        Assert.Equal(GgufTensorType.F32, rules.Choose("blk.5.ffn_gate_inp.weight", wide, 5));
        Assert.Equal(GgufTensorType.F32, rules.Choose("blk.5.attn_norm.weight", new Shape(7168), 5));
        Assert.Equal(GgufTensorType.Q50, rules.Choose("blk.5.attn_k_b.weight", new Shape(128, 512, 128), 5));
        // 62 / 8 = 7: the first seven, from 7 · 62 / 8 = 54 on, and of those between every third: 9, 12, …
        int[] six = [.. Enumerable.Range(0, 62).Where(l => rules.Choose($"blk.{l}.ffn_down_exps.weight", wide, l) == GgufTensorType.Q6K)];
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 55, 56, 57, 58, 59, 60, 61], six);
        Assert.Equal(GgufTensorType.Q80, rules.Choose("blk.0.ffn_down.weight", new Shape(64, 96), 0));
        Assert.Equal(GgufTensorType.F16, rules.Choose("blk.0.attn_q_a.weight", new Shape(64, 40), 0));
        Assert.Equal(GgufTensorType.Q6K, new GgufTypeRules(GgufWeights.Q40, 62, 256).Choose("output.weight", wide, -1));
    }

    [Fact]
    public void A_model_without_its_mtp_layer_and_one_with_permuted_rotary_rows_convert()
    {
        using var files = new TemporaryFolder();
        string gguf = Write(files, V3 with { RopeInterleave = false }, GgufWeights.F32);
        using var folder = Checkpoint.Open(files.File("hf"));
        using var file = Checkpoint.Open(gguf);
        Assert.True(file.Config.RopeInterleave);
        string name = file.Catalog.Get(TensorRole.LatentDown, 0).Name;
        // One pair: its rows lie side by side either way. The query heads have one pair each, too.
        Assert.Equal(Read(folder, name), Read(file, name));
    }

    [Fact]
    public void Wide_rotary_parts_are_interleaved()
    {
        using var files = new TemporaryFolder();
        var config = V3 with { RopeInterleave = false, RopeWidth = 6 };
        using var file = Checkpoint.Open(Write(files, config, GgufWeights.F32));
        using var folder = Checkpoint.Open(files.File("hf"));
        string name = file.Catalog.Get(TensorRole.LatentDown, 0).Name;
        float[] mine = Read(file, name), theirs = Read(folder, name);
        int d = config.HiddenSize, rank = config.LatentRank;
        int[] source = [0, 3, 1, 4, 2, 5];
        for (int i = 0; i < 6; i++) Assert.Equal(theirs.AsSpan((rank + source[i]) * d, d).ToArray(), mine.AsSpan((rank + i) * d, d).ToArray());
        Assert.Equal(theirs.AsSpan(0, rank * d).ToArray(), mine.AsSpan(0, rank * d).ToArray());
    }

    [Theory]
    [InlineData("interval", "moe_layer_freq 2")]
    [InlineData("mscale", "rope_scaling.mscale 0.5")]
    [InlineData("greedy", "topk_method Greedy")]
    public void What_a_gguf_file_cannot_say_is_refused(string kind, string message)
    {
        using var files = new TemporaryFolder();
        var config = kind switch
        {
            "interval" => V3 with { ExpertLayerInterval = 2 },
            "mscale" => V3 with { Yarn = V3.Yarn! with { MScale = 0.5 } },
            _ => V3 with { Choice = ChoiceMethod.Greedy },
        };
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Write(files, config, GgufWeights.F32)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(files.File("x.gguf")));
    }

    [Fact]
    public void Values_that_a_format_cannot_hold_are_refused_with_their_tensor()
    {
        using var files = new TemporaryFolder();
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, 1e9f])
        {
            CheckpointWriter.Write(files.File("hf"), V3, (t, first, rows, d) =>
            {
                TinyModel.Values(t, first, rows, d);
                if (t.Name == "lm_head.weight") d[^1] = bad;
            }, new CheckpointOptions { Type = DType.F32 }, TestContext.Current.CancellationToken);
            using var source = Checkpoint.Open(files.File("hf"));
            var e = Assert.Throws<CheckpointException>(() => ModelConversion.ToGguf(source, files.File("x.gguf"), GgufWeights.F16, null, TestContext.Current.CancellationToken));
            Assert.Equal("output.weight", e.TensorName);
            Assert.Empty(Directory.GetFiles(files.Path));
        }
    }

    [Fact]
    public void A_cancelled_conversion_leaves_nothing_behind()
    {
        using var files = new TemporaryFolder();
        CheckpointWriter.Write(files.File("hf"), V3, TinyModel.Values, null, TestContext.Current.CancellationToken);
        using var source = Checkpoint.Open(files.File("hf"));
        using var stop = new CancellationTokenSource();
        var progress = new Stopper(stop);
        Assert.ThrowsAny<OperationCanceledException>(() => ModelConversion.ToGguf(source, files.File("x.gguf"), GgufWeights.F32, progress, stop.Token));
        Assert.Empty(Directory.GetFiles(files.Path));
        Assert.Equal(1, progress.Reports);
    }

    [Fact]
    public void FP8_folders_convert_both_ways()
    {
        using var files = new TemporaryFolder();
        var config = TinyModel.Dense(hidden: 200, inner: 300);
        CheckpointWriter.Write(files.File("hf"), config, TinyModel.Values, new CheckpointOptions { Type = DType.F32 }, TestContext.Current.CancellationToken);
        using (var source = Checkpoint.Open(files.File("hf"))) ModelConversion.ToFolder(source, files.File("fp8"), DType.F8E4M3, null, TestContext.Current.CancellationToken);
        using (var source = Checkpoint.Open(files.File("fp8")))
        {
            Assert.Equal(new BlockQuantization(), source.Config.Quantization);
            string name = source.Catalog.Get(TensorRole.DenseUp, 0).Name;
            Assert.Equal(DType.F8E4M3, source.Get(name).Type);
            Assert.Equal(new Shape(3, 2), source.Get(name + "_scale_inv").Shape);
            float[] back = Read(source, name), values = new float[back.Length];
            TinyModel.Values(source.Catalog.Get(TensorRole.DenseUp, 0), 0, 300, values);
            // E4M3 has 3 fraction bits: half a unit is 2^-4 of the value, and 2^-10 · scale below the smallest normal number; every scale is below 1/448.
            for (int i = 0; i < values.Length; i++) Assert.InRange(back[i], values[i] - MathF.Abs(values[i]) / 16 - 1e-5f, values[i] + MathF.Abs(values[i]) / 16 + 1e-5f);
            ModelConversion.ToFolder(source, files.File("f32"), DType.F32, null, TestContext.Current.CancellationToken);
            using var again = Checkpoint.Open(files.File("f32"));
            Assert.Null(again.Config.Quantization);
            Assert.Equal(back, Read(again, name));
        }
    }

    internal static string Write(TemporaryFolder files, ModelConfig config, GgufWeights weights)
    {
        CheckpointWriter.Write(files.File("hf"), config, TinyModel.Values, new CheckpointOptions { Type = DType.F32 }, TestContext.Current.CancellationToken);
        using var source = Checkpoint.Open(files.File("hf"));
        ModelConversion.ToGguf(source, files.File("x.gguf"), weights, null, TestContext.Current.CancellationToken);
        return files.File("x.gguf");
    }

    internal static float[] Read(Checkpoint checkpoint, string name)
    {
        var values = new float[checkpoint.Get(name).Shape.Count];
        checkpoint.ReadSingle(name, values);
        return values;
    }

    private static double Relative(float[] values, float[] back) =>
        Math.Sqrt(values.Zip(back, (a, b) => Math.Pow(a - (double)b, 2)).Sum() / values.Sum(v => (double)v * v));

    private sealed class Stopper(CancellationTokenSource stop) : IProgress<ConversionProgress>
    {
        public int Reports { get; private set; }

        public void Report(ConversionProgress value)
        {
            Reports++;
            stop.Cancel();
        }
    }
}
