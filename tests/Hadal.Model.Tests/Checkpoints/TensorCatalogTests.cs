using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Model.Tests.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

public class TensorCatalogTests
{
    private static readonly Lazy<Dictionary<string, TensorSpec>> _v3 =
        new(() => new TensorCatalog(Variants.Parse(Variants.V3)).Tensors.ToDictionary(t => t.Name));

    public static TheoryData<string> Names => new(Variants.All.Keys);

    /// <summary>Sections 0 and 2.1 of the specification.</summary>
    [Fact]
    public void V3_has_the_published_tensors_parameters_and_bytes()
    {
        var catalog = new TensorCatalog(Variants.Parse(Variants.V3));
        var all = catalog.Tensors.ToList();
        var main = all.Where(t => t.Layer < 61).ToList();
        var mtp = all.Where(t => t.Layer == 61).ToList();
        Assert.Equal(91_991, all.Count);
        Assert.Equal(91_991, _v3.Value.Count);
        Assert.Equal(1564, mtp.Count);
        Assert.Equal(1558, catalog.Layer(3).Count());
        Assert.Equal(20, catalog.Layer(0).Count());
        Assert.Equal(671_026_419_200, main.Where(t => t.IsParameter).Sum(t => t.Count));
        Assert.Equal(671_026_404_352, main.Where(t => t.IsParameter && t.Role != TensorRole.RouterBias).Sum(t => t.Count));
        Assert.Equal(673_150_611_808, main.Sum(t => t.ByteLength));
        Assert.Equal(15_424_227_552, mtp.Sum(t => t.ByteLength));
        Assert.Equal(688_574_839_360, all.Sum(t => t.ByteLength));
        Assert.Equal(11.61e9, mtp.Where(t => t.IsParameter).Sum(t => t.Count), 0.005e9);
        Assert.Equal(11.51e9, mtp.Where(t => t.IsParameter && t.Role != TensorRole.MtpProjection).Sum(t => t.Count), 0.005e9);
        var matrices = catalog.Layer(0).Where(t => t.Shape.Rank == 2 && !t.IsScale);
        Assert.Equal(187_105_280, matrices.Where(t => t.Name.Contains("self_attn", StringComparison.Ordinal)).Sum(t => t.Count));
        Assert.Equal(44_040_192, catalog.Layer(9).Where(t => t.Expert == 17 && !t.IsScale).Sum(t => t.Count));
    }

    [Theory]
    [InlineData("model.embed_tokens.weight", DType.BF16, "[129280, 7168]", null)]
    [InlineData("lm_head.weight", DType.BF16, "[129280, 7168]", null)]
    [InlineData("model.norm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.0.input_layernorm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.60.post_attention_layernorm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.5.self_attn.q_a_proj.weight", DType.F8E4M3, "[1536, 7168]", "[12, 56]")]
    [InlineData("model.layers.5.self_attn.q_a_layernorm.weight", DType.BF16, "[1536]", null)]
    [InlineData("model.layers.5.self_attn.q_b_proj.weight", DType.F8E4M3, "[24576, 1536]", "[192, 12]")]
    [InlineData("model.layers.5.self_attn.kv_a_proj_with_mqa.weight", DType.F8E4M3, "[576, 7168]", "[5, 56]")]
    [InlineData("model.layers.5.self_attn.kv_a_layernorm.weight", DType.BF16, "[512]", null)]
    [InlineData("model.layers.5.self_attn.kv_b_proj.weight", DType.F8E4M3, "[32768, 512]", "[256, 4]")]
    [InlineData("model.layers.5.self_attn.o_proj.weight", DType.F8E4M3, "[7168, 16384]", "[56, 128]")]
    [InlineData("model.layers.2.mlp.gate_proj.weight", DType.F8E4M3, "[18432, 7168]", "[144, 56]")]
    [InlineData("model.layers.2.mlp.up_proj.weight", DType.F8E4M3, "[18432, 7168]", "[144, 56]")]
    [InlineData("model.layers.2.mlp.down_proj.weight", DType.F8E4M3, "[7168, 18432]", "[56, 144]")]
    [InlineData("model.layers.3.mlp.gate.weight", DType.BF16, "[256, 7168]", null)]
    [InlineData("model.layers.3.mlp.gate.e_score_correction_bias", DType.F32, "[256]", null)]
    [InlineData("model.layers.3.mlp.experts.255.gate_proj.weight", DType.F8E4M3, "[2048, 7168]", "[16, 56]")]
    [InlineData("model.layers.60.mlp.experts.0.up_proj.weight", DType.F8E4M3, "[2048, 7168]", "[16, 56]")]
    [InlineData("model.layers.3.mlp.experts.7.down_proj.weight", DType.F8E4M3, "[7168, 2048]", "[56, 16]")]
    [InlineData("model.layers.3.mlp.shared_experts.gate_proj.weight", DType.F8E4M3, "[2048, 7168]", "[16, 56]")]
    [InlineData("model.layers.3.mlp.shared_experts.down_proj.weight", DType.F8E4M3, "[7168, 2048]", "[56, 16]")]
    [InlineData("model.layers.61.embed_tokens.weight", DType.BF16, "[129280, 7168]", null)]
    [InlineData("model.layers.61.enorm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.61.hnorm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.61.eh_proj.weight", DType.BF16, "[7168, 14336]", null)]
    [InlineData("model.layers.61.shared_head.norm.weight", DType.BF16, "[7168]", null)]
    [InlineData("model.layers.61.shared_head.head.weight", DType.BF16, "[129280, 7168]", null)]
    [InlineData("model.layers.61.mlp.experts.255.down_proj.weight", DType.F8E4M3, "[7168, 2048]", "[56, 16]")]
    public void V3s_tensors_have_the_tables_shapes_and_types(string name, DType type, string shape, string? scales)
    {
        Assert.Equal((type, shape), (_v3.Value[name].Type, _v3.Value[name].Shape.ToString()));
        var found = _v3.Value.GetValueOrDefault(name + "_scale_inv");
        Assert.Equal(scales, found?.Shape.ToString());
        if (found is not null) Assert.Equal((DType.F32, TensorRole.BlockScales), (found.Type, found.Role));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_configurations_counts_are_the_catalogs(string name)
    {
        var config = Variants.Parse(Variants.All[name]);
        var catalog = new TensorCatalog(config);
        Assert.Equal(config.ParameterCount, catalog.Main.Where(t => t.IsParameter).Sum(t => t.Count));
        Assert.Equal(config.MtpParameterCount, catalog.Mtp.Where(t => t.IsParameter).Sum(t => t.Count));
        var active = catalog.Main.Where(t => t.IsParameter && t.Role != TensorRole.Embedding && t.Expert < config.ExpertsPerToken);
        Assert.Equal(config.ActiveParameterCount, active.Sum(t => t.Count));
        Assert.Equal(config.ParameterCount + config.MtpParameterCount, catalog.Parameters.Sum(t => t.Count));
    }

    [Fact]
    public void Without_a_query_latent_there_is_one_query_matrix_and_without_a_bias_none()
    {
        var lite = new TensorCatalog(Variants.Parse(Variants.V2Lite)).Tensors.ToDictionary(t => t.Name);
        Assert.Equal("[3072, 2048]", lite["model.layers.4.self_attn.q_proj.weight"].Shape.ToString());
        Assert.Equal("[2816, 2048]", lite["model.layers.4.mlp.shared_experts.up_proj.weight"].Shape.ToString());
        string[] absent = ["q_a_proj", "bias", "scale"];
        Assert.All(absent, part => Assert.DoesNotContain(lite.Keys, n => n.Contains(part, StringComparison.Ordinal)));
        Assert.All(lite.Values, t => Assert.Equal(DType.BF16, t.Type));
    }

    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-moonlight")]
    [InlineData("train-small")]
    public void The_golden_checkpoints_have_exactly_these_names_and_shapes(string folder)
    {
        var golden = GoldenData.Tensors(folder, "model.safetensors");
        var catalog = new TensorCatalog(ModelConfig.Load(GoldenData.Folder(folder)));
        var specs = catalog.Tensors.Where(t => golden.Has(t.Name) || t.CopyOf is null).ToList();
        Assert.Equal(golden.Names.Order(), specs.Select(t => t.Name).Order());
        Assert.All(specs, t => Assert.Equal(golden.Shape(t.Name), t.Shape.ToArray()));
    }

    [Fact]
    public void Roles_lead_to_the_same_tensors_as_the_list()
    {
        var catalog = new TensorCatalog(ModelConfig.Load(GoldenData.Folder("tiny-v3")));
        foreach (var tensor in catalog.Tensors) Assert.Equal(tensor, catalog.Get(tensor.Role, tensor.Layer, tensor.Expert));
        Assert.Throws<ArgumentOutOfRangeException>(() => catalog.Layer(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => catalog.Get(TensorRole.BlockScales));
    }
}
