using System.Text.Json;
using Hadal.Model.Configuration;
using Hadal.Model.Rotary;

namespace Hadal.Model.Tests.Rotary;

public class RotaryTableTests
{
    private static readonly JsonElement _golden = GoldenData.Json("yarn.json");

    // Section "Appendix A" of the specification: V3's frequencies to nine digits.
    private static readonly double[] _published =
    [
        1, .749894209, .562341325, .421696503, .316227766, .237137371, .177827941, .133352143, .1, .0749894209, .0562341325, .0390069266, .0268793601, .0183781462,
        .0124479559, .00833450895, .0055, .00356199749, .0022493653, .00137051364, 7.90569415e-4, 4.14990398e-4, 1.77827941e-4, 3.33380358e-5, 2.5e-5, 1.87473552e-5,
        1.40585331e-5, 1.05424126e-5, 7.90569415e-6, 5.92843426e-6, 4.44569853e-6, 3.33380358e-6,
    ];

    public static TheoryData<string> Configurations => new(_golden.EnumerateObject().Select(c => c.Name));

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Frequencies_range_and_scales_equal_the_golden_ones(string name)
    {
        var golden = _golden.GetProperty(name);
        var table = Table(golden);
        Assert.Equal(golden.GetProperty("inv_freq_f32").Numbers().Select(x => (float)x), table.Frequencies.ToArray());
        double[] exact = golden.GetProperty("inv_freq_f64").Numbers();
        for (int i = 0; i < exact.Length; i++) Assert.Equal(exact[i], table.ExactFrequencies[i], exact[i] * 1e-14);

        bool stretched = golden.GetProperty("correction_low").ValueKind != JsonValueKind.Null;
        Assert.Equal(stretched ? (golden.GetProperty("correction_low").GetInt32(), golden.GetProperty("correction_high").GetInt32()) : null, table.CorrectionRange);
        Assert.Equal(golden.GetProperty("attention_mscale").GetDouble(), Math.Sqrt(Yarn(golden).SoftmaxFactor), 1e-14);
        Assert.Equal(1, table.Scale);

        double width = 1 / Math.Pow(golden.GetProperty("softmax_scale_without_yarn").GetDouble(), 2);
        var config = new ModelConfig { RopeWidth = table.Pairs * 2, NopeWidth = (int)Math.Round(width) - table.Pairs * 2, Yarn = Yarn(golden) };
        Assert.Equal(golden.GetProperty("softmax_scale").GetDouble(), config.AttentionScale, 1e-14);
        Assert.Equal(golden.GetProperty("softmax_scale_without_yarn").GetDouble(), (config with { Yarn = null }).AttentionScale, 1e-14);
    }

    /// <summary>The golden table comes from an FP32 cosine with an error below one unit in the last place of 1, 2^-24; ours is the exact one rounded.</summary>
    [Theory]
    [MemberData(nameof(Configurations))]
    public void Cosines_and_sines_equal_the_golden_ones_at_every_position(string name)
    {
        var golden = _golden.GetProperty(name);
        var table = Table(golden);
        int[] positions = [.. golden.GetProperty("positions").Numbers().Select(p => (int)p)];
        double[] cosines = golden.GetProperty("cos_f32").Numbers(), sines = golden.GetProperty("sin_f32").Numbers();
        var cos = new float[table.Pairs];
        var sin = new float[table.Pairs];
        for (int p = 0; p < positions.Length; p++)
        {
            table.Fill(positions[p], cos, sin);
            for (int i = 0; i < table.Pairs; i++)
            {
                Assert.Equal(cosines[p * table.Pairs + i], cos[i], 6e-8);
                Assert.Equal(sines[p * table.Pairs + i], sin[i], 6e-8);
            }
        }
    }

    /// <summary>Against the exact turn, the rounded angle costs as much as the golden file measured for the published code, and no more.</summary>
    [Theory]
    [MemberData(nameof(Configurations))]
    public void Rounding_costs_what_the_golden_file_measured(string name)
    {
        var golden = _golden.GetProperty(name);
        var table = Table(golden);
        int[] positions = [.. golden.GetProperty("positions").Numbers().Select(p => (int)p)];
        double[] exact = golden.GetProperty("cos_f64").Numbers(), bound = golden.GetProperty("cos_max_abs_f32_vs_f64_per_position").Numbers();
        var cos = new float[table.Pairs];
        for (int p = 0; p < positions.Length; p++)
        {
            table.Fill(positions[p], cos, new float[table.Pairs]);
            for (int i = 0; i < table.Pairs; i++) Assert.Equal(exact[p * table.Pairs + i], cos[i], bound[p] + 6e-8);
        }
    }

    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-moonlight")]
    public void The_tables_of_the_tiny_models_equal_the_golden_ones(string model)
    {
        var config = ModelConfig.Load(GoldenData.Folder(model));
        var golden = GoldenData.Tensors(model, "golden.safetensors");
        var table = new RotaryTable(config);
        table.Reserve(320);
        float[] cos = golden.F32("rope/cos"), sin = golden.F32("rope/sin");
        Assert.Equal([320, table.Pairs], golden.Shape("rope/cos"));
        for (int i = 0; i < cos.Length; i++)
        {
            Assert.Equal(cos[i], table.Cosines[i], 6e-8f);
            Assert.Equal(sin[i], table.Sines[i], 6e-8f);
        }

        Assert.Equal(GoldenData.Json(model, "golden.json").GetProperty("softmax_scale").GetDouble(), config.AttentionScale, 1e-12);
    }

    [Fact]
    public void Frequencies_of_V3_are_the_published_ones()
    {
        var table = new RotaryTable(64, 10000, new YarnScaling { MScaleAllDimensions = 1 });
        for (int i = 0; i < 32; i++) Assert.Equal(_published[i], table.ExactFrequencies[i], _published[i] * 5e-9);
        Assert.Equal((10, 23), table.CorrectionRange);
    }

    [Fact]
    public void Only_the_numerator_mscale_scales_the_table_when_the_other_is_absent()
    {
        var yarn = new YarnScaling { MScale = 0.707, MScaleAllDimensions = 0 };
        Assert.Equal(1.2608037774058554, new RotaryTable(64, 10000, yarn).Scale, 1e-14);
        Assert.Equal(1, yarn.SoftmaxFactor);
        var table = new RotaryTable(64, 10000, yarn);
        table.Reserve(1);
        Assert.Equal(1.2608037774058554f, table.Cosines[0]);
    }

    [Fact]
    public void Growing_keeps_rows_and_old_spans()
    {
        var table = new RotaryTable(16, 10000);
        Assert.Equal(0, table.Positions);
        table.Reserve(10);
        var before = table.Cosines;
        float[] copy = before.ToArray();
        table.Reserve(1000);
        Assert.True(table.Positions >= 1000);
        Assert.Equal(copy, before.ToArray());
        Assert.Equal(copy, table.Cosines[..copy.Length].ToArray());
        var cos = new float[8];
        var sin = new float[8];
        table.Fill(999, cos, sin);
        Assert.Equal(cos, table.Cosines.Slice(999 * 8, 8).ToArray());
        Assert.Equal(sin, table.Sines.Slice(999 * 8, 8).ToArray());
    }

    private static RotaryTable Table(JsonElement golden) => new(golden.GetProperty("dim").GetInt32(), golden.GetProperty("rope_theta").GetDouble(), Yarn(golden));

    private static YarnScaling Yarn(JsonElement golden) => new()
    {
        Factor = golden.GetProperty("factor").GetDouble(),
        OriginalMaxPositions = golden.GetProperty("original_max_position_embeddings").GetInt32(),
        BetaFast = golden.GetProperty("beta_fast").GetDouble(),
        BetaSlow = golden.GetProperty("beta_slow").GetDouble(),
        MScale = golden.GetProperty("mscale").GetDouble(),
        MScaleAllDimensions = golden.GetProperty("mscale_all_dim").GetDouble(),
    };
}
