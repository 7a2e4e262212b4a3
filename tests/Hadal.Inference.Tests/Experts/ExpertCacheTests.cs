using Hadal.Inference.Experts;
using Hadal.Inference.Generation;
using Hadal.Inference.Measurement;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Experts;

/// <summary>Whatever the memory for experts, the bits are those of a model that is in memory. All comparisons are exact.</summary>
public class ExpertCacheTests
{
    private const int Prompt = 30, Total = 50;
    private static readonly ModelConfig _config = TinyModel.Config with { Layers = 4, RoutedExperts = 8, ExpertsPerToken = 3, Groups = 2, KeptGroups = 1 };
    private static readonly int[] _tokens = [.. Enumerable.Range(0, Total).Select(i => (i * 37 + 11) % 271)];

    [Theory]
    [InlineData(WeightFormat.F32)]
    [InlineData(WeightFormat.BF16)]
    [InlineData(WeightFormat.Fp8)]
    [InlineData(WeightFormat.FourBit)]
    public void Every_budget_number_of_threads_and_batch_gives_the_same_bits(WeightFormat format)
    {
        using var tiny = TinyModel.Random(_config);
        float[] expected = Logits(tiny.Folder, 1, new LoadOptions { Weights = format }, 1 << 20, Total);
        Compare(ExpertPolicy.Cached, 1, 2, 7);
        Compare(ExpertPolicy.Cached, 2, 1, Total);
        Compare(ExpertPolicy.Cached, 5, 4, 1);
        Compare(ExpertPolicy.Cached, 13, 2, Total);
        Compare(ExpertPolicy.Cached, 32, 1, 7);
        Compare(ExpertPolicy.Mapped, 2, 2, 7);

        void Compare(ExpertPolicy policy, int experts, int threads, int piece)
        {
            var options = new LoadOptions { Weights = format, Memory = 1L << 30, Experts = policy, ExpertReaders = 3 };
            Assert.Equal(expected, Logits(tiny.Folder, threads, options, experts, piece));
        }
    }

    [Fact]
    public void A_checkpoint_in_fp8_is_read_as_it_is()
    {
        string folder = GoldenData.Folder("tiny-v3-fp8-128");
        float[] expected = Logits(folder, 2, new LoadOptions(), 1 << 20, Total);
        foreach (int experts in new[] { 2, 9 })
            Assert.Equal(expected, Logits(folder, 2, new LoadOptions { Memory = 1L << 30 }, experts, 9));
    }

    [Theory]
    [InlineData(GgufWeights.BF16, null)]
    [InlineData(GgufWeights.F16, null)]
    [InlineData(GgufWeights.Q80, null)]
    [InlineData(GgufWeights.Q40, null)]
    [InlineData(GgufWeights.Q80, WeightFormat.FourBit)]
    public void A_gguf_file_gives_the_same_bits_with_few_experts_in_memory(GgufWeights stored, WeightFormat? held)
    {
        // Blocks of 32 columns, in every matrix.
        using var tiny = TinyModel.Random(_config with { MtpLayers = 0, ExpertWidth = 32, QueryLatentRank = 32, LatentRank = 32, NopeWidth = 32, ValueWidth = 32, DenseWidth = 64 });
        using var folder = new TemporaryFolder();
        string path = folder.File("x.gguf");
        using (var source = Checkpoint.Open(tiny.Folder)) ModelConversion.ToGguf(source, path, stored, cancellation: TestContext.Current.CancellationToken);
        float[] expected = Logits(path, 2, new LoadOptions { Weights = held }, 1 << 20, Total);
        foreach (int experts in new[] { 1, 7 })
            Assert.Equal(expected, Logits(path, 2, new LoadOptions { Weights = held, Memory = 1L << 30, ExpertReaders = 2 }, experts, 9));
    }

    [Fact]
    public void Warmed_experts_are_found_and_what_they_took_to_read_is_not_the_steps()
    {
        using var tiny = TinyModel.Random(_config);
        float[] expected = Logits(tiny.Folder, 2, new LoadOptions(), 1 << 20, Total);
        using var backend = new CpuBackend(2);
        var reports = new Reports();
        using var model = InferenceModel.Load(
            tiny.Folder, backend, new LoadOptions { Memory = 1L << 30, WarmExperts = true }, reports, TestContext.Current.CancellationToken);
        var warm = model.ExpertStatistics!;
        Assert.Equal((32, 32, 0L), (warm.Resident, warm.Total, warm.BytesRead));
        Assert.Equal((reports.Last.TotalBytes, "32 experts"), (reports.Last.LoadedBytes, reports.Last.Tensor));
        Assert.Equal(expected, Run(backend, model, 7));
        Assert.Equal((0L, 0L), (model.ExpertStatistics!.Misses, model.ExpertStatistics.BytesRead));
    }

    [Fact]
    public void A_full_memory_is_warmed_with_as_many_experts_of_each_layer()
    {
        using var tiny = TinyModel.Random(_config with { MtpLayers = 0 });
        using var backend = new CpuBackend(2);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30 }, 7);
        model.Experts!.Account(0);
        model.Experts.Warm(null, TestContext.Current.CancellationToken);
        Assert.Equal(7, model.ExpertStatistics!.Resident);
        // Of three layers with experts the first two of each, and the third of the first.
        Assert.Equal(
            [3, 2, 2],
            Enumerable.Range(1, 3).Select(l => Enumerable.Range(0, 8).Count(e => model.Layer(l, default).ExpertGateUp!.IsPresent(e))));
    }

    [Fact]
    public void A_warming_that_is_stopped_leaves_nothing_claimed()
    {
        using var tiny = TinyModel.Random(_config);
        using var backend = new CpuBackend(2);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30 }, 3);
        model.Experts!.Account(0);
        Assert.ThrowsAny<OperationCanceledException>(() => model.Experts.Warm(null, new CancellationToken(true)));
        Assert.Equal(Logits(tiny.Folder, 2, new LoadOptions(), 1 << 20, Total), Run(backend, model, 7));
        Assert.InRange(model.ExpertStatistics!.Resident, 1, 3);
    }

    [Fact]
    public void A_benchmark_counts_what_the_cache_did_in_its_timed_runs()
    {
        using var tiny = TinyModel.Random(_config);
        using var backend = new CpuBackend(2);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30, Mtp = false }, 5);
        var plan = new BenchmarkPlan { Prefill = 16, Decode = 4, Repetitions = 2, CacheType = DType.F8E4M3 };
        var results = new InferenceBenchmark(model).Run(plan, cancellation: TestContext.Current.CancellationToken).ToList();
        // Two runs of four steps, each with three experts in three layers.
        Assert.Equal(2 * 4 * 9, results[1].Experts!.Hits + results[1].Experts!.Misses);
        Assert.All(results, r => Assert.InRange(r.Experts!.HitRate!.Value, 0, 1));
        // The latent rows of FP8 take fewer bytes than those of BF16.
        var wide = new InferenceBenchmark(model).Run(plan with { CacheType = DType.BF16, Prefill = 0 }, cancellation: TestContext.Current.CancellationToken).Single();
        Assert.NotEqual(wide.BytesPerToken, results[1].BytesPerToken);
    }

    [Fact]
    public void Drafts_of_the_mtp_module_meet_the_same_experts()
    {
        using var tiny = TinyModel.Random(_config);
        int[] expected = Generate(null), actual = Generate(4);
        Assert.Equal(expected, actual);

        int[] Generate(int? experts)
        {
            using var backend = new CpuBackend(2);
            using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = experts is null ? null : 1L << 30 }, experts ?? 0);
            using var cache = model.CreateCache(200);
            using var runner = new ModelRunner(model, cache);
            using var sequence = cache.CreateSequence(_tokens.AsSpan(0, Prompt));
            var decoding = new Decoding(runner, sequence, new Sampler(new SamplingOptions { Temperature = 0 }, 272, 272), 2);
            decoding.Prefill(cancellation: TestContext.Current.CancellationToken);
            var tokens = new int[3];
            while (sequence.Count < 80) decoding.Step(tokens, TestContext.Current.CancellationToken);
            return sequence.Tokens[..80].ToArray();
        }
    }

    [Fact]
    public void What_is_used_most_stays_and_is_found()
    {
        // Biases far above the scores: every token of a layer takes the same three experts.
        using var tiny = TinyModel.Of(_config with { MtpLayers = 0 }, spec => spec.Role != TensorRole.RouterBias ? null : [.. Enumerable.Range(0, 8).Select(e => e is 1 or 2 or 3 ? 100f : 0)]);
        using var backend = new CpuBackend(1);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30 }, 10);
        Run(backend, model, Total);
        var cold = model.ExpertStatistics!;
        Run(backend, model, 1);
        var warm = model.ExpertStatistics!.Since(cold);
        Assert.Equal(9 * cold.ExpertBytes, cold.BytesUsed);
        Assert.Equal(0, warm.Misses);
        Assert.Equal(0, warm.BytesRead);
        Assert.Equal(1, warm.HitRate);
        Assert.Equal(9, warm.Resident);
        Assert.Equal(10, warm.Capacity);
    }

    [Fact]
    public void The_next_layers_choice_is_known_early_and_not_read_twice()
    {
        using var tiny = TinyModel.Of(_config with { MtpLayers = 0 }, spec => spec.Role != TensorRole.RouterBias ? null : [.. Enumerable.Range(0, 8).Select(e => e is 1 or 2 or 3 ? 100f : 0)]);
        using var backend = new CpuBackend(1);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30 }, 20);
        Run(backend, model, 1);
        var seen = model.ExpertStatistics!;
        Assert.Equal(1, seen.PrefetchAccuracy);
        Assert.Equal(9 * seen.ExpertBytes, seen.BytesUsed);
        Assert.Equal(9, seen.Resident);
    }

    [Fact]
    public void A_file_that_is_cut_short_while_it_is_read_is_named()
    {
        using var tiny = TinyModel.Random(_config);
        using var backend = new CpuBackend(1);
        using var model = Load(tiny.Folder, backend, new LoadOptions { Memory = 1L << 30 }, 3);
        string path = Path.Combine(tiny.Folder, Checkpoint.SingleFileName);
        // Nothing touches the mapped pages behind the cut: the embedding is first in the file, and experts are read explicitly.
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(file.Length / 3);
        var error = Assert.Throws<CheckpointException>(() => Run(backend, model, Total));
        Assert.Contains("cut short", error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        // Once more: the failure does not stick to anything.
        Assert.Throws<CheckpointException>(() => Run(backend, model, Total));
    }

    [Fact]
    public void Too_little_memory_is_refused_with_what_would_be_enough()
    {
        using var tiny = TinyModel.Random(_config);
        using var backend = new CpuBackend(1);
        var error = Assert.Throws<GenerationException>(() => InferenceModel.Load(
            tiny.Folder, backend, new LoadOptions { Memory = 1 << 20 }, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("at least", error.Message, StringComparison.Ordinal);
    }

    private static InferenceModel Load(string folder, CpuBackend backend, LoadOptions options, int experts)
    {
        var model = InferenceModel.Load(folder, backend, options, cancellation: TestContext.Current.CancellationToken);
        if (model.Experts is { } cache) cache.MostBytes = Math.Min(cache.MostBytes, experts * model.ExpertStatistics!.ExpertBytes);
        return model;
    }

    private static float[] Logits(string folder, int threads, LoadOptions options, int experts, int piece)
    {
        using var backend = new CpuBackend(threads);
        using var model = Load(folder, backend, options, experts);
        float[] logits = Run(backend, model, piece);
        if (model.ExpertStatistics is { } seen) Assert.InRange(seen.Resident, 1, experts);
        return logits;
    }

    private static float[] Run(CpuBackend backend, InferenceModel model, int piece)
    {
        var trace = ModelTrace.Run(model, [.. _tokens.Select(t => t % model.Config.VocabularySize)], new ModelTraceOptions { PromptTokens = Prompt, PieceTokens = piece, CacheType = DType.F32 });
        return [.. trace.Tensors["logits"].Values];
    }

    private sealed class Reports : IProgress<LoadProgress>
    {
        public LoadProgress Last { get; private set; }

        public void Report(LoadProgress value) => Last = value;
    }
}
