using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Configuration;

public class ModelConfigTests
{
    public static TheoryData<string> Names => new(Variants.All.Keys);

    [Fact]
    public void V3_reads_as_the_report_says()
    {
        var c = Variants.Parse(Variants.V3);
        Assert.Equal(("deepseek_v3", 129280, 7168, 61, 1, 128), (c.ModelType, c.VocabularySize, c.HiddenSize, c.Layers, c.MtpLayers, c.Heads));
        Assert.Equal((1536, 512, 128, 64, 128), (c.QueryLatentRank, c.LatentRank, c.NopeWidth, c.RopeWidth, c.ValueWidth));
        Assert.Equal((18432, 2048, 256, 1, 8, 3), (c.DenseWidth, c.ExpertWidth, c.RoutedExperts, c.SharedExperts, c.ExpertsPerToken, c.DenseLayers));
        Assert.Equal((8, 4, ScoringFunction.Sigmoid, ChoiceMethod.BiasCorrected), (c.Groups, c.KeptGroups, c.Scoring, c.Choice));
        Assert.Equal((true, 2.5), (c.NormalizeGates, c.GateScale));
        Assert.Equal((163840, 10000, 1e-6, 0, DType.BF16), (c.MaxPositions, c.RopeTheta, c.NormEpsilon, c.BeginToken, c.WeightType));
        Assert.Equal([1], c.EndTokens);
        Assert.Equal(new YarnScaling { MScaleAllDimensions = 1 }, c.Yarn);
        Assert.Equal(new BlockQuantization(), c.Quantization);
        Assert.True(c.HasQueryLatent);
        Assert.True(c.RopeInterleave);
        Assert.Equal((192, 58), (c.QueryHeadWidth, c.ExpertLayers));
        Assert.False(c.IsMixtureOfExperts(2));
        Assert.True(c.IsMixtureOfExperts(3));
        Assert.True(c.IsMixtureOfExperts(61));
        Assert.Equal(70_272, c.CacheBytesPerToken);
        Assert.Equal(0.1352337788609, c.AttentionScale, 1e-12);
    }

    [Fact]
    public void V3_has_the_published_parameter_counts()
    {
        var c = Variants.Parse(Variants.V3);
        Assert.Equal(671_026_419_200, c.ParameterCount);
        Assert.Equal(36.63e9, c.ActiveParameterCount, 0.005e9);
        Assert.Equal(37.55e9, c.ActiveParameterCountWithEmbedding, 0.005e9);
        Assert.Equal(35.70e9, c.ActiveParameterCount - 926_679_040, 0.005e9);
        Assert.Equal(11.61e9, c.MtpParameterCount, 0.005e9);
        Assert.Equal(684.49e9, c.ParameterCount + c.MtpParameterCount + 2 * 926_679_040, 0.005e9);
    }

    [Theory]
    [InlineData("V3.1", 671.03, 36.63, 0.1352337789)]
    [InlineData("V2", 235.74, 20.85, 0.1147213868)]
    [InlineData("V2-Lite", 15.71, 2.45, 0.1147213868)]
    [InlineData("Moonlight", 15.96, 2.58, 0.0721687836)]
    public void Variants_have_the_sizes_their_makers_give(string name, double billions, double activeBillions, double scale)
    {
        var c = Variants.Parse(Variants.All[name]);
        Assert.Equal(billions, c.ParameterCount / 1e9, 0.005);
        Assert.Equal(activeBillions, c.ActiveParameterCount / 1e9, 0.005);
        Assert.Equal(scale, c.AttentionScale, 1e-10);
    }

    [Fact]
    public void Variants_differ_where_the_table_says()
    {
        Assert.True(Variants.Parse(Variants.V31).Quantization!.PowerOfTwoScales);
        var lite = Variants.Parse(Variants.V2Lite);
        Assert.Equal((false, null, 0), (lite.HasQueryLatent, lite.QueryLatentRank, lite.MtpLayers));
        Assert.Equal((ChoiceMethod.Greedy, ScoringFunction.Softmax), (lite.Choice, lite.Scoring));
        Assert.Equal((1, 1, false, 2816), (lite.Router.Groups, lite.Router.GroupScoreDepth, lite.Router.HasBias, lite.SharedWidth));
        var v2 = Variants.Parse(Variants.V2);
        Assert.Equal((ChoiceMethod.GroupLimitedGreedy, 8, 3, 20), (v2.Choice, v2.Router.Groups, v2.Router.KeptGroups, v2.Router.GroupSize));
        Assert.Equal((1, 16.0), (v2.Router.GroupScoreDepth, v2.Router.Scale));
        var moonlight = Variants.Parse(Variants.Moonlight);
        Assert.Equal((50000, 1e-5, 2.446, 0), (moonlight.RopeTheta, moonlight.NormEpsilon, moonlight.GateScale, moonlight.MtpLayers));
        Assert.Null(moonlight.Yarn);
        Assert.Equal(2, Variants.Parse(Variants.V3).Router.GroupScoreDepth);
    }

    /// <summary>What Hugging Face's configuration classes default to.</summary>
    [Fact]
    public void Missing_fields_have_the_defaults_of_the_model_type()
    {
        var v3 = Variants.Parse("""{ "model_type": "deepseek_v3" }""");
        Assert.Equal((7168, 61, 1536, 256, 8, 4), (v3.HiddenSize, v3.Layers, v3.QueryLatentRank, v3.RoutedExperts, v3.Groups, v3.KeptGroups));
        Assert.Equal((4096, 0), (v3.MaxPositions, v3.MtpLayers));
        Assert.Equal((ChoiceMethod.BiasCorrected, true, 2.5), (v3.Choice, v3.NormalizeGates, v3.GateScale));
        var v2 = Variants.Parse("""{ "model_type": "deepseek_v2", "num_experts_per_tok": 6 }""");
        Assert.Equal((4096, 32, 32, 1536), (v2.HiddenSize, v2.Layers, v2.Heads, v2.QueryLatentRank));
        Assert.Equal((64, 2, 1, 1), (v2.RoutedExperts, v2.SharedExperts, v2.Groups, v2.KeptGroups));
        Assert.Equal((ChoiceMethod.Greedy, ScoringFunction.Softmax, false, 1.0), (v2.Choice, v2.Scoring, v2.NormalizeGates, v2.GateScale));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_read_is_written_back_unchanged(string name)
    {
        string text = Variants.Changed(Variants.All[name], json =>
        {
            json["my_field"] = JsonNode.Parse("""{ "deep": [1, 2.50, "ü\n", null] }""");
            json["rope_theta"] = json["rope_theta"]!.GetValue<double>();
        });
        var c = Variants.Parse(text);
        var written = JsonNode.Parse(c.ToJson())!.AsObject();
        Assert.Equal(JsonNode.Parse(text)!.ToJsonString(), written.ToJsonString());
        Assert.Equal(c, Variants.Parse(c.ToJson()));
    }

    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-moonlight")]
    [InlineData("train-small")]
    public void The_golden_configurations_load_from_their_folders(string folder)
    {
        var c = ModelConfig.Load(GoldenData.Folder(folder));
        Assert.Equal(DType.F32, c.WeightType);
        Assert.Equal(c, ModelConfig.Load(GoldenData.Folder(folder, "config.json")));
        Assert.Equal(JsonNode.Parse(File.ReadAllText(GoldenData.Folder(folder, "config.json")))!.ToJsonString(), c.ToJsonObject().ToJsonString());
    }

    [Fact]
    public void Changes_touch_only_their_own_fields()
    {
        var before = JsonNode.Parse(Variants.V3)!.AsObject();
        var c = Variants.Parse(Variants.V3) with { Quantization = null, WeightType = DType.F32, Yarn = null, InitializerRange = 0.006 };
        var after = c.ToJsonObject();
        before.Remove("quantization_config");
        before["torch_dtype"] = "float32";
        before["rope_scaling"] = null;
        before["initializer_range"] = 0.006;
        Assert.Equal(before.ToJsonString(), after.ToJsonString());
    }

    [Fact]
    public void A_configuration_made_in_code_writes_every_field_of_V3s_file()
    {
        var yarn = new YarnScaling { Factor = 4, OriginalMaxPositions = 512 };
        var c = new ModelConfig { Layers = 4, HiddenSize = 256, MaxPositions = 2048, Yarn = yarn, EndTokens = [1, 2] };
        c.Validate();
        var written = c.ToJsonObject();
        foreach (var (field, _) in JsonNode.Parse(Variants.V3)!.AsObject())
        {
            if (field is not ("auto_map" or "quantization_config")) Assert.True(written.ContainsKey(field), field);
        }

        Assert.Equal("DeepseekV3ForCausalLM", written["architectures"]![0]!.GetValue<string>());
        var read = Variants.Parse(c.ToJson());
        Assert.Equal(c.ToJson(), (read with { }).ToJson());
        Assert.Equal((c.Yarn, c.MtpLayers, c.BalanceLossWeight), (read.Yarn, read.MtpLayers, read.BalanceLossWeight));
        Assert.Equal([1, 2], read.EndTokens);
    }

    [Fact]
    public void Both_rope_spellings_mean_the_same()
    {
        var older = Variants.Parse(Variants.V3);
        string text = Variants.Changed(Variants.V3, json =>
        {
            var rope = json["rope_scaling"]!.DeepClone().AsObject();
            rope.Remove("type");
            rope["rope_type"] = "yarn";
            rope["rope_theta"] = 10000.0;
            json.Remove("rope_scaling");
            json.Remove("rope_theta");
            json["rope_parameters"] = rope;
        });
        var newer = Variants.Parse(text);
        Assert.Equal((older.Yarn, older.RopeTheta), (newer.Yarn, newer.RopeTheta));
        Assert.Equal(JsonNode.Parse(text)!.ToJsonString(), newer.ToJsonObject().ToJsonString());

        // A change goes where the file has the field.
        var stretched = (newer with { Yarn = newer.Yarn! with { Factor = 8 }, RopeTheta = 20000 }).ToJsonObject();
        var written = stretched["rope_parameters"]!;
        Assert.Equal((8.0, 20000.0), (written["factor"]!.GetValue<double>(), written["rope_theta"]!.GetValue<double>()));
        Assert.False(stretched.ContainsKey("rope_scaling"));
        var plain = (newer with { Yarn = null }).ToJson();
        Assert.Null(Variants.Parse(plain).Yarn);
        var again = (Variants.Parse(plain) with { Yarn = newer.Yarn }).ToJson();
        Assert.Equal(newer.Yarn, Variants.Parse(again).Yarn);
    }

    [Theory]
    [InlineData("""{ "rope_type": "default", "rope_theta": 50000.0 }""")]
    [InlineData("""{ "rope_theta": 50000.0 }""")]
    public void Plain_rope_parameters_are_plain(string parameters)
    {
        string text = Variants.With(Variants.With(Variants.With(Variants.V3, "rope_theta", "remove"), "rope_scaling", "remove"), "rope_parameters", parameters);
        var c = Variants.Parse(text);
        Assert.Null(c.Yarn);
        Assert.Equal(50000, c.RopeTheta);
    }

    [Fact]
    public void The_newer_name_of_the_type_is_understood_and_kept()
    {
        string text = Variants.With(Variants.With(Variants.Moonlight, "torch_dtype", "remove"), "dtype", "\"float16\"");
        var c = Variants.Parse(text);
        Assert.Equal(DType.F16, c.WeightType);
        var json = (c with { WeightType = DType.F32 }).ToJsonObject();
        Assert.Equal("float32", json["dtype"]!.GetValue<string>());
        Assert.False(json.ContainsKey("torch_dtype"));
    }

    [Fact]
    public void A_configuration_is_saved_under_its_name_and_nothing_else_stays()
    {
        using var folder = new TemporaryFolder();
        var c = Variants.Parse(Variants.V2Lite);
        c.Save(folder.Path);
        c.Save(folder.Path);
        Assert.Equal(c, ModelConfig.Load(folder.Path));
        Assert.Equal(["config.json"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
        Assert.Throws<ConfigException>(() => c.Save(Path.Combine(folder.Path, "missing", "config.json")));
    }

    [Fact]
    public void A_byte_order_mark_is_no_mistake() =>
        Assert.Equal(61, ModelConfig.Parse([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Variants.V3)]).Layers);
}
