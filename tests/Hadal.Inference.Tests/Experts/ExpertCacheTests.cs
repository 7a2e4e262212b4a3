using Hadal.Inference.Experts;
using Hadal.Inference.Generation;
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
}
