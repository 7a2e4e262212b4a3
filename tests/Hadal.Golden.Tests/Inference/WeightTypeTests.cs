using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Golden.Tests.Inference;

/// <summary>Checkpoints whose weights are not FP32.</summary>
public class WeightTypeTests
{
    /// <summary>
    /// FP8 weights times their block scales, FP32 arithmetic: the reference's mode <c>dequant_f32</c>. Nothing is rounded on the way, so the tolerance is that
    /// of the FP32 models, 1e-4.
    /// </summary>
    [Theory]
    [InlineData("tiny-v3-fp8-128", 3)]
    [InlineData("tiny-v3-fp8-128", 24)]
    [InlineData("tiny-v3-fp8-odd", 3)]
    [InlineData("tiny-v3-fp8-odd", 24)]
    public void Fp8_weights_are_multiplied_by_their_block_scales(string name, int length)
    {
        using var golden = new GoldenFolder(name);
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(golden.Path, backend, cancellation: TestContext.Current.CancellationToken);
        string prefix = $"seq{length}/dequant_f32/";

        var trace = ModelTrace.Run(model, golden.Integers($"seq{length}/tokens"), cancellation: TestContext.Current.CancellationToken);

        int compared = 0;
        foreach (var tensor in trace.Tensors.Values.Where(t => t.Type == DType.F32 && golden.Has(prefix + t.Name)))
        {
            if (tensor.Name.Contains("gate_weights", StringComparison.Ordinal)) continue;
            Compare.Close(golden.Floats(prefix + tensor.Name), tensor.Values, 1e-4, prefix + tensor.Name);
            compared++;
        }

        Assert.True(compared >= 3 * model.Config.Layers + 3, $"Only {compared} tensors were compared.");
        Assert.Equal(model.Config.MtpLayers > 0, trace.Tensors.ContainsKey("mtp.logits"));
    }

    /// <summary>The products widen BF16 exactly, so a BF16 model is the FP32 model of the same rounded weights, bit for bit.</summary>
    [Fact]
    public void A_bf16_checkpoint_computes_what_the_same_rounded_weights_compute_in_fp32()
    {
        using var golden = new GoldenFolder("tiny-v3");
        using var source = Checkpoint.Open(golden.Path);
        string folder = Directory.CreateTempSubdirectory("hadal-bf16-").FullName;
        try
        {
            string narrow = Path.Combine(folder, "bf16"), wide = Path.Combine(folder, "f32");
            CheckpointWriter.Write(
                narrow, source.Config, (t, row, rows, to) => source.ReadRows(t.Name, row, rows, to), new CheckpointOptions { Type = DType.BF16, MtpCopies = false },
                TestContext.Current.CancellationToken);
            using (var rounded = Checkpoint.Open(narrow))
            {
                CheckpointWriter.Write(
                    wide, rounded.Config, (t, row, rows, to) => rounded.ReadRows(t.Name, row, rows, to), new CheckpointOptions { Type = DType.F32 },
                    TestContext.Current.CancellationToken);
            }

            int[] tokens = golden.Integers("seq37/tokens");
            using var backend = new CpuBackend(1);
            using var narrowModel = InferenceModel.Load(narrow, backend, cancellation: TestContext.Current.CancellationToken);
            using var wideModel = InferenceModel.Load(wide, backend, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(DType.BF16, narrowModel.DefaultCacheType);
            Assert.Equal(DType.F32, wideModel.DefaultCacheType);
            Assert.True(narrowModel.ByteLength < 0.6 * wideModel.ByteLength);
            foreach (var options in new[] { new ModelTraceOptions(), new ModelTraceOptions { PromptTokens = 5, PieceTokens = 4 } })
            {
                var a = ModelTrace.Run(narrowModel, tokens, options, null, TestContext.Current.CancellationToken);
                var b = ModelTrace.Run(wideModel, tokens, options, null, TestContext.Current.CancellationToken);
                Assert.Equal(b.Tensors.Keys, a.Tensors.Keys);
                foreach (var tensor in b.Tensors.Values)
                {
                    Assert.True(tensor.Values.SequenceEqual(a.Tensors[tensor.Name].Values), tensor.Name);
                    Assert.True(tensor.Integers.SequenceEqual(a.Tensors[tensor.Name].Integers), tensor.Name);
                }
            }

            // The rounding itself: weights are off by up to 2^-9, so logits move, but not far.
            var exact = golden.Floats("seq37/logits");
            var logits = ModelTrace.Run(narrowModel, tokens, cancellation: TestContext.Current.CancellationToken).Tensors["logits"].Values;
            Assert.False(logits.SequenceEqual(exact));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>
    /// A BF16 cache rounds latents and rope keys by up to 2^-9 of their size. In layer 0, where no routing decision lies before it, the attention's output may
    /// then be off by a few times that share of its largest values: 2^-7.
    /// </summary>
    [Fact]
    public void A_bf16_cache_changes_attention_by_its_rounding_only()
    {
        using var golden = new GoldenFolder("tiny-v3");
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(golden.Path, backend, cancellation: TestContext.Current.CancellationToken);
        float[] expected = golden.Floats("seq37/attn_out.0");
        float peak = expected.Max(Math.Abs);
        foreach (var options in new[] { new ModelTraceOptions { CacheType = DType.BF16 }, new ModelTraceOptions { CacheType = DType.BF16, PromptTokens = 1, PieceTokens = 1 } })
        {
            var trace = ModelTrace.Run(model, golden.Integers("seq37/tokens"), options, null, TestContext.Current.CancellationToken);
            var actual = trace.Tensors["attn_out.0"].Values;
            Compare.Close(expected, actual, peak / 128, "attn_out.0 with a BF16 cache");
            Assert.Contains(expected.Zip(actual.ToArray()), pair => Math.Abs(pair.First - pair.Second) > peak / 100_000);
        }
    }
}
