using Hadal.Inference.Measurement;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Measurement;

/// <summary>On tiny-v3, a model in FP32 with random weights.</summary>
public sealed class QuantizationReportTests : IDisposable
{
    private static readonly int[] _tokens = [.. Enumerable.Range(0, 260).Select(i => (i * i * 37 + 11 * i) % 509)];
    private readonly CpuBackend _backend = new(2);

    [Fact]
    public void A_model_does_not_diverge_from_itself()
    {
        using var model = Load(WeightFormat.BF16);
        using var again = Load(WeightFormat.BF16);
        var report = QuantizationReport.Measure(model, again, new TextWindows(_tokens, 100), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((259, 0.0, 0.0, 1.0), (report.Tokens, report.MeanDivergence, report.HighDivergence, report.SameTokenShare));
        Assert.Equal(report.ReferencePerplexity, report.QuantizedPerplexity);
    }

    [Fact]
    public void Fewer_bits_diverge_more()
    {
        using var reference = Load(WeightFormat.F32);
        using var bytes = Load(WeightFormat.EightBit);
        using var nibbles = Load(WeightFormat.FourBit);
        var text = new TextWindows(_tokens, 100);
        var eight = QuantizationReport.Measure(reference, bytes, text, cancellation: TestContext.Current.CancellationToken);
        var four = QuantizationReport.Measure(reference, nibbles, text, cancellation: TestContext.Current.CancellationToken);
        Assert.True(0 < eight.MeanDivergence && eight.MeanDivergence < four.MeanDivergence, $"{eight} {four}");
        Assert.True(eight.HighDivergence < four.HighDivergence && eight.MeanDivergence <= eight.HighDivergence, $"{eight} {four}");
        Assert.True(eight.SameTokenShare > four.SameTokenShare, $"{eight} {four}");
        Assert.True(nibbles.BitsPerWeight < bytes.BitsPerWeight && bytes.BitsPerWeight < reference.BitsPerWeight);
        Assert.True(reference.BitsPerWeight >= 32);
    }

    /// <summary>The published code's logits of 37 tokens, losses in double. Our logits may be off by 1e-4 (golden README), and so may the mean loss, twice over.</summary>
    [Theory]
    [InlineData(36)]
    [InlineData(500)]
    public void The_perplexity_is_that_of_the_reference_logits(int window)
    {
        var golden = GoldenData.Tensors("tiny-v3", "golden.safetensors");
        int[] tokens = [.. golden.I64("seq37/tokens").Select(t => (int)t)];
        float[] logits = golden.F32("seq37/logits");
        double loss = 0;
        for (int i = 0; i < 36; i++)
        {
            float[] row = logits[(i * 512)..(i * 512 + 512)];
            loss += Math.Log(row.Sum(v => Math.Exp((double)v))) - row[tokens[i + 1]];
        }

        using var model = Load(WeightFormat.F32);
        var report = QuantizationReport.Measure(model, model, new TextWindows(tokens, window), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(36, report.Tokens);
        Assert.Equal(loss / 36, Math.Log(report.ReferencePerplexity), 2e-4);
    }

    [Fact]
    public void Recorded_logits_give_the_same_report_and_leave_no_file()
    {
        using var reference = Load(WeightFormat.F32);
        using var quantized = Load(WeightFormat.Fp8);
        var text = new TextWindows(_tokens, 70, beginToken: 0);
        var together = QuantizationReport.Measure(reference, quantized, text, cancellation: TestContext.Current.CancellationToken);
        var recorded = RecordedLogits.Record(reference, text, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(259L * 512 * sizeof(float), recorded.ByteLength);
        for (int i = 0; i < 2; i++) Assert.Equal(together, QuantizationReport.Measure(recorded, quantized, text, cancellation: TestContext.Current.CancellationToken));
        recorded.Dispose();
        Assert.False(File.Exists(recorded.FileName));
    }

    /// <summary>The divergence by its formula, and the share that a percentile leaves out: 1 of 100.</summary>
    [Fact]
    public void One_row_is_compared_by_the_formula()
    {
        float[] a = [1.5f, -2, 0.25f, 3], b = [1, -1, 0.5f, 2.5f];
        double sumA = a.Sum(v => Math.Exp(v)), sumB = b.Sum(v => Math.Exp(v));
        double expected = a.Zip(b, (x, y) => Math.Exp(x) / sumA * (Math.Log(Math.Exp(x) / sumA) - Math.Log(Math.Exp(y) / sumB))).Sum();
        var one = LogitDivergence.Of(a, b, 2);
        Assert.Equal(expected, one.Divergence, 1e-12);
        Assert.Equal(-Math.Log(Math.Exp(0.25) / sumA), one.ReferenceLoss, 1e-12);
        Assert.Equal(-Math.Log(Math.Exp(0.5) / sumB), one.QuantizedLoss, 1e-12);
        Assert.True(one.SameToken);
        Assert.False(LogitDivergence.Of(a, [4, 0, 0, 1], 2).SameToken);
    }

    [Fact]
    public void Windows_predict_every_token_once()
    {
        int[] text = [7, 8, 9, 10, 11, 12];
        var plain = new TextWindows(text, 2);
        Assert.Equal((3, 5), (plain.Count, plain.Predictions));
        Assert.Equal([7, 8], plain.Inputs(0).ToArray());
        Assert.Equal([8, 9], plain.Targets(0).ToArray());
        Assert.Equal([9, 10], plain.Inputs(1).ToArray());
        Assert.Equal([11], plain.Inputs(2).ToArray());
        Assert.Equal([12], plain.Targets(2).ToArray());

        // Begun or not, the text is the same.
        foreach (int[] tokens in new[] { text, [1, .. text] })
        {
            var begun = new TextWindows(tokens, 4, beginToken: 1);
            Assert.Equal((2, 6), (begun.Count, begun.Predictions));
            Assert.Equal([1, 7, 8, 9], begun.Inputs(0).ToArray());
            Assert.Equal([7, 8, 9, 10], begun.Targets(0).ToArray());
            Assert.Equal([1, 11], begun.Inputs(1).ToArray());
            Assert.Equal([11, 12], begun.Targets(1).ToArray());
        }

        Assert.Throws<GenerationException>(() => new TextWindows([7], 4));
        Assert.Throws<GenerationException>(() => new TextWindows([1], 4, beginToken: 1));
    }

    [Fact]
    public void Tokens_and_windows_that_the_model_has_not_are_refused()
    {
        using var model = Load(WeightFormat.F32);
        Assert.Contains("max_position_embeddings", Refusal(new TextWindows(new int[4000], 3000)), StringComparison.Ordinal);
        Assert.Contains("Token 512 ", Refusal(new TextWindows([1, 512], 8)), StringComparison.Ordinal);

        string Refusal(TextWindows text) => Assert.Throws<GenerationException>(() => QuantizationReport.Measure(model, model, text)).Message;
    }

    /// <summary>A longer text takes a sequence and the lists of a step more per window, and no logits: 32 KB are allowed for each further window of 64 tokens, whose logits take 256 KB.</summary>
    [Fact]
    public void Memory_does_not_grow_with_the_logits_of_the_text()
    {
        using var model = Load(WeightFormat.BF16);
        Measure(2);
        long little = Measure(2), much = Measure(12);
        Assert.InRange(much - little, 0, 10 * 32 * 1024);

        long Measure(int windows)
        {
            int[] tokens = [.. Enumerable.Range(0, 64 * windows + 1).Select(i => i % 512)];
            long before = GC.GetAllocatedBytesForCurrentThread();
            QuantizationReport.Measure(model, model, new TextWindows(tokens, 64));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    public void Dispose() => _backend.Dispose();

    private InferenceModel Load(WeightFormat format) => InferenceModel.Load(
        GoldenData.Folder("tiny-v3"), _backend, new LoadOptions { Weights = format, Mtp = false }, cancellation: TestContext.Current.CancellationToken);
}
