using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Tests.Checkpoints;

/// <summary>FP8 weights whose block scales are stored as F8_E8M0: exponents without anything else.</summary>
public class PowerOfTwoScaleTests
{
    private const string Weight = "model.layers.0.mlp.up_proj.weight";

    // Two rows of blocks by two columns of blocks, the last ones smaller.
    private static readonly ModelConfig _config = TinyModel.Dense(160, 200) with { Quantization = new BlockQuantization { PowerOfTwoScales = true } };

    [Fact]
    public void Weights_are_codes_times_powers_of_two()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path, (t, i) => (byte)(118 + (t.Name.Length + 3 * i) % 12));
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal("F8_E8M0", checkpoint.Get(Weight + "_scale_inv").TypeName);
        foreach (var spec in checkpoint.Catalog.Tensors.Where(t => t.Type == DType.F8E4M3))
        {
            int columns = (int)spec.Shape.Columns, width = (columns + 127) / 128;
            var values = new float[spec.Count];
            checkpoint.ReadSingle(spec.Name, values);
            for (int i = 0; i < values.Length; i++)
            {
                int scale = 118 + (spec.Name.Length + "_scale_inv".Length + 3 * (i / columns / 128 * width + i % columns / 128)) % 12;
                Assert.Equal(Math.ScaleB(Float8E4M3.ToSingle(Code(spec, i)), scale - 127), values[i]);
            }
        }
    }

    [Fact]
    public void They_are_converted_to_bf16_exactly_and_back_to_fp8_to_the_nearest_code()
    {
        using var folder = new TemporaryFolder();
        Write(folder.File("powers"), (_, i) => (byte)(120 + i % 3));
        using var source = Checkpoint.Open(folder.File("powers"));
        ModelConversion.ToFolder(source, folder.File("wide"), DType.BF16, cancellation: TestContext.Current.CancellationToken);
        ModelConversion.ToFolder(source, folder.File("narrow"), DType.F8E4M3, cancellation: TestContext.Current.CancellationToken);
        using Checkpoint wide = Checkpoint.Open(folder.File("wide")), narrow = Checkpoint.Open(folder.File("narrow"));
        Assert.Equal((DType.BF16, DType.F8E4M3, DType.F32), (wide.Get(Weight).Type, narrow.Get(Weight).Type, narrow.Get(Weight + "_scale_inv").Type));
        float[] expected = Values(source), again = Values(narrow);
        Assert.Equal(expected, Values(wide));

        // A block's scale is now its largest magnitude over 448: codes are off by half a unit of three fraction bits, or of the smallest codes' spacing 2^-9 · scale.
        float largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], again[i], MathF.Abs(expected[i]) / 16 + largest / 448 / 1024);
    }

    [Fact]
    public void A_scale_that_is_no_number_is_named_with_its_place()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path, (t, i) => t.Name == Weight + "_scale_inv" && i == 2 ? Ue8M0.NaN : (byte)127);
        using var checkpoint = Checkpoint.Open(folder.Path);
        var values = new float[200 * 160];
        checkpoint.ReadRows(Weight, 0, 128, values);
        var e = Assert.Throws<CheckpointException>(() => checkpoint.ReadSingle(Weight, values));
        Assert.Contains($"tensor {Weight}_scale_inv has the code 255 at [1, 0]", e.Message, StringComparison.Ordinal);
        Assert.Equal((Weight + "_scale_inv", Path.Combine(folder.Path, "model.safetensors")), (e.TensorName, e.Path));
    }

    private static float[] Values(Checkpoint checkpoint)
    {
        var values = new float[200 * 160];
        checkpoint.ReadSingle(Weight, values);
        return values;
    }

    private static void Write(string folder, Func<TensorSpec, int, byte> scale) => TinyModel.WriteRaw(folder, _config, t =>
    {
        if (t.IsScale) return [(new SafetensorsEntry(t.Name, DType.F8E8M0, t.Shape), [.. Enumerable.Range(0, (int)t.Count).Select(i => scale(t, i))])];
        return t.Type == DType.F8E4M3 ? [(new SafetensorsEntry(t.Name, t.Type, t.Shape), [.. Enumerable.Range(0, (int)t.Count).Select(i => Code(t, i))])] : [TinyModel.AsSpecified(t)];
    });

    // Any code but the two NaN.
    private static byte Code(TensorSpec t, int i) => (byte)((t.Name.Length * 7 + i * 37) % 127 | (i % 3 == 0 ? 0x80 : 0));
}
