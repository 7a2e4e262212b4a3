using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Running;

/// <summary>A request gets the same tokens whoever else is served and on however many threads, with weights and cache in every format.</summary>
public class SameTokensTests(BlockModel blocks) : IClassFixture<BlockModel>
{
    private const int Generated = 4;
    private static readonly DType[] _caches = [DType.F32, DType.BF16, DType.F8E4M3];

    // One within a page of the cache, one up to its last tokens, one over several.
    private static readonly int[][] _prompts = [Prompt(5, 1), Prompt(62, 2), Prompt(70, 3)];

    /// <summary>Weights of the other formats come in blocks of a GGUF file only.</summary>
    public static TheoryData<WeightFormat> Formats =>
        [.. Enum.GetValues<WeightFormat>().Where(f => f is not (WeightFormat.Q50 or WeightFormat.Q6K or WeightFormat.Q5K or WeightFormat.Q4K))];

    public static TheoryData<GgufWeights> Files => [.. Enum.GetValues<GgufWeights>()];

    // What a cache holds is FP32 on its way in and out, so it does not know the weights' format: every format meets one type of cache, the types take turns.
    [Theory]
    [MemberData(nameof(Formats))]
    public void Same_tokens_for_1_2_and_4_threads_alone_or_batched(WeightFormat format) =>
        Check(GoldenData.Folder("tiny-v3"), new LoadOptions { Weights = format, Mtp = false }, _caches[(int)format % _caches.Length]);

    [Fact]
    public void Same_tokens_with_every_type_of_cache()
    {
        var options = new LoadOptions { Weights = WeightFormat.BF16, Mtp = false };
        var results = _caches.Select(cache => Check(GoldenData.Folder("tiny-v3"), options, cache)).ToList();
        Assert.NotEqual(results[0][2].Logits, results[1][2].Logits);
        Assert.NotEqual(results[0][2].Logits, results[2][2].Logits);
    }

    // The mixture Q4_K_M has Q4_K, Q5_K, Q6_K and Q5_0.
    [Theory]
    [MemberData(nameof(Files))]
    public void Same_tokens_from_the_blocks_of_a_file(GgufWeights weights)
    {
        if (weights == GgufWeights.Q4KM)
        {
            using var checkpoint = Checkpoint.Open(blocks.Gguf(weights));
            string[] expected = ["Q4_K", "Q5_0", "Q5_K", "Q6_K"];
            Assert.Superset(expected.ToHashSet(), checkpoint.Tensors.Select(t => t.TypeName).ToHashSet());
        }

        Check(blocks.Gguf(weights), new LoadOptions(), DType.BF16);
    }

    private static List<(int[] Tokens, float[] Logits)> Check(string path, LoadOptions options, DType cache)
    {
        List<(int[] Tokens, float[] Logits)>? expected = null;
        foreach (int threads in new[] { 1, 2, 4 })
        {
            using var backend = new CpuBackend(threads);
            using var model = InferenceModel.Load(path, backend, options, cancellation: TestContext.Current.CancellationToken);
            expected ??= [.. _prompts.Select(p => Assert.Single(Generate(model, cache, p)))];
            var together = Generate(model, cache, _prompts);
            for (int p = 0; p < _prompts.Length; p++)
            {
                AssertSame(expected[p], together[p], $"{threads} threads, {cache} cache, prompt {p} in company");
                if (threads > 1) AssertSame(expected[p], Assert.Single(Generate(model, cache, _prompts[p])), $"{threads} threads, {cache} cache, prompt {p} alone");
            }
        }

        // Prompts matter, or the comparison would say nothing.
        Assert.NotEqual(expected![0].Logits, expected[1].Logits);
        return expected;
    }

    private static void AssertSame((int[] Tokens, float[] Logits) expected, (int[] Tokens, float[] Logits) actual, string how)
    {
        Assert.True(expected.Tokens.AsSpan().SequenceEqual(actual.Tokens), $"Other tokens: {how}.");
        Assert.True(expected.Logits.AsSpan().SequenceEqual(actual.Logits), $"Other logits: {how}.");
    }

    /// <summary>Greedy tokens of each prompt, and the logits that the last one was chosen by.</summary>
    private static List<(int[] Tokens, float[] Logits)> Generate(InferenceModel model, DType type, params int[][] prompts)
    {
        using var cache = model.CreateCache(1024, type);
        using var runner = new ModelRunner(model, cache);
        Sequence[] sequences = [.. prompts.Select(p => cache.CreateSequence(p))];
        var batch = new StepBatch();
        var logits = new float[prompts.Length][];
        for (int step = 0; step < Generated; step++)
        {
            batch.Clear();
            foreach (var sequence in sequences) batch.Add(sequence, sequence.Count - sequence.CachedLength, LogitRows.Last);
            runner.Forward(batch, TestContext.Current.CancellationToken);
            for (int s = 0; s < sequences.Length; s++)
            {
                logits[s] = new float[model.Config.VocabularySize];
                model.Backend.Read(runner.Logits.RowRange(batch.LogitRow(s), 1), logits[s]);
                sequences[s].Append(logits[s].IndexOf(logits[s].Max()));
            }
        }

        List<(int[] Tokens, float[] Logits)> results = [.. sequences.Select((s, i) => (s.Tokens[prompts[i].Length..].ToArray(), logits[i]))];
        foreach (var sequence in sequences) sequence.Dispose();
        return results;
    }

    private static int[] Prompt(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(272))];
    }
}
