using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Running;

/// <summary>A request gets the same tokens whoever else is served and on however many threads, with weights and cache in every format.</summary>
public class SameTokensTests
{
    private const int Generated = 6;

    // One within a page of the cache, one up to its last tokens, one over several.
    private static readonly int[][] _prompts = [Prompt(5, 1), Prompt(62, 2), Prompt(90, 3)];

    // Weights of the other formats come in blocks of a GGUF file only.
    public static TheoryData<WeightFormat> Formats =>
        [.. Enum.GetValues<WeightFormat>().Where(f => f is not (WeightFormat.Q50 or WeightFormat.Q6K or WeightFormat.Q5K or WeightFormat.Q4K))];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Same_tokens_for_1_2_and_4_threads_alone_or_batched(WeightFormat format)
    {
        var expected = new Dictionary<(DType, int), (int[] Tokens, float[] Logits)>();
        foreach (int threads in new[] { 1, 2, 4 })
        {
            using var backend = new CpuBackend(threads);
            using var model = InferenceModel.Load(
                GoldenData.Folder("tiny-v3"), backend, new LoadOptions { Weights = format, Mtp = false }, cancellation: TestContext.Current.CancellationToken);
            foreach (var cache in new[] { DType.F32, DType.BF16, DType.F8E4M3 })
            {
                var together = Generate(model, cache, _prompts);
                for (int p = 0; p < _prompts.Length; p++)
                {
                    var alone = Assert.Single(Generate(model, cache, _prompts[p]));
                    if (!expected.TryGetValue((cache, p), out var first)) expected.Add((cache, p), first = alone);
                    AssertSame(first, alone, $"{threads} threads, {cache} cache, prompt {p} alone");
                    AssertSame(first, together[p], $"{threads} threads, {cache} cache, prompt {p} in company");
                }
            }
        }

        // Prompts and caches matter, or the comparison would say nothing.
        Assert.NotEqual(expected[(DType.F32, 0)].Logits, expected[(DType.F32, 1)].Logits);
        Assert.NotEqual(expected[(DType.F32, 2)].Logits, expected[(DType.F8E4M3, 2)].Logits);
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
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(512))];
    }
}
