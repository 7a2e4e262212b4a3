using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Speculation;

public class SpeculativeDecodingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    public void Right_drafts_are_all_accepted(int drafts)
    {
        using var tiny = TinyModel.Successor();
        var (tokens, decoding, steps) = Generate(tiny, drafts, SamplingOptions.Greedy, 1 + 4 * (drafts + 1));
        Assert.Equal(Enumerable.Range(13, tokens.Count), tokens);
        Assert.Equal(decoding.Proposed, decoding.Accepted);
        Assert.Equal(4, steps);
        Assert.Equal(4 * drafts, decoding.Proposed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Wrong_drafts_are_refused_and_change_nothing(int drafts)
    {
        using var tiny = TinyModel.Successor(goodDrafts: false);
        var (tokens, decoding, _) = Generate(tiny, drafts, SamplingOptions.Greedy, 20);
        Assert.Equal(Enumerable.Range(13, 20), tokens);
        Assert.Equal(0, decoding.Accepted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Greedy_tokens_are_those_of_plain_decoding(int drafts)
    {
        // Over a page boundary, with penalties, for several random models.
        for (int seed = 1; seed <= 3; seed++)
        {
            using var tiny = TinyModel.Random(seed: seed);
            var options = seed == 2 ? new SamplingOptions { RepetitionPenalty = 1.3, FrequencyPenalty = 0.5 } : SamplingOptions.Greedy;
            var (expected, _, _) = Generate(tiny, 0, options, 90);
            var (actual, _, _) = Generate(tiny, drafts, options, 90);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Steps_end_where_the_room_for_tokens_or_the_context_ends()
    {
        using var tiny = TinyModel.Successor();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(200);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([.. Enumerable.Range(0, 190)]);
        var decoding = new Decoding(runner, sequence, new Sampler(SamplingOptions.Greedy, 272, 272), 5);
        Assert.Equal(190, decoding.Prefill(cancellation: TestContext.Current.CancellationToken));
        var tokens = new int[20];
        Assert.Equal(3, decoding.Step(tokens.AsSpan(0, 3), TestContext.Current.CancellationToken));
        Assert.Equal([191, 192, 193], tokens[..3]);
        Assert.Equal(6, decoding.Step(tokens, TestContext.Current.CancellationToken));

        // 200 tokens: the last one still has a position, but its successor would have none.
        Assert.Equal(200, sequence.Count);
        Assert.Equal(1, decoding.Step(tokens, TestContext.Current.CancellationToken));
        Assert.Throws<GenerationException>(() => decoding.Step(tokens, TestContext.Current.CancellationToken));
        Assert.Equal(201, sequence.Count);
    }

    [Fact]
    public void Sampled_tokens_follow_the_main_model_with_drafts_as_without()
    {
        // Tokens 2 and 3 of a text over 8 tokens, against the exact joint distribution of plain decoding. Chi-square with 63 degrees of freedom: 103.4 is
        // exceeded once in a thousand seeds; the seeds are fixed.
        using var tiny = TinyModel.Random(TinyModel.Config with { VocabularySize = 8, EndTokens = [1] }, seed: 4);
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(200);
        using var runner = new ModelRunner(model, cache);
        double[] expected = Joint(runner, 1.5);
        var counts = new int[64];
        const int texts = 1000;
        long proposed = 0, accepted = 0;
        var step = new int[3];
        for (int i = 0; i < texts; i++)
        {
            using var sequence = cache.CreateSequence([2, 3]);
            var decoding = new Decoding(runner, sequence, new Sampler(new SamplingOptions { Temperature = 1.5, Seed = (ulong)i }, 8, 8), 2);
            decoding.Prefill(cancellation: TestContext.Current.CancellationToken);
            while (sequence.Count < 5) decoding.Step(step, TestContext.Current.CancellationToken);
            counts[sequence.Tokens[3] * 8 + sequence.Tokens[4]]++;
            proposed += decoding.Proposed;
            accepted += decoding.Accepted;
        }

        Assert.InRange(accepted, 1, proposed - 1);
        double chi = 0;
        for (int i = 0; i < 64; i++) chi += Math.Pow(counts[i] - texts * expected[i], 2) / (texts * expected[i]);
        Assert.True(chi < 103.4, $"Chi-square is {chi}.");
    }

    [Fact]
    public void A_runner_that_was_used_for_something_else_is_noticed()
    {
        using var tiny = TinyModel.Successor();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(200);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([10, 11, 12]);
        using var other = cache.CreateSequence([7]);
        var decoding = new Decoding(runner, sequence, new Sampler(SamplingOptions.Greedy, 272, 272), 1);
        decoding.Prefill(cancellation: TestContext.Current.CancellationToken);
        var batch = new StepBatch();
        batch.Add(other, 1, LogitRows.Last);
        runner.Forward(batch, TestContext.Current.CancellationToken);
        Assert.Throws<InvalidOperationException>(() => decoding.Step(new int[2], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Drafts_without_an_mtp_module_or_out_of_range_are_refused()
    {
        using var tiny = TinyModel.Successor(mtpLayers: 0);
        var error = Assert.Throws<GenerationException>(() => Generate(tiny, 1, SamplingOptions.Greedy, 3));
        Assert.Contains("no MTP module", error.Message, StringComparison.Ordinal);
        Assert.Throws<GenerationException>(() => Generate(tiny, 33, SamplingOptions.Greedy, 3));
        Assert.Throws<GenerationException>(() => Generate(tiny, -1, SamplingOptions.Greedy, 3));
    }

    private static (List<int> Tokens, Decoding Decoding, int Steps) Generate(TinyModel tiny, int drafts, SamplingOptions options, int count)
    {
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(200);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([10, 11, 12]);
        var decoding = new Decoding(runner, sequence, new Sampler(options, 272, 272), drafts);
        var tokens = new List<int> { decoding.Prefill(2) };
        var step = new int[drafts + 1];
        int steps = 0;
        for (; tokens.Count < count; steps++)
        {
            int made = decoding.Step(step.AsSpan(0, Math.Min(step.Length, count - tokens.Count)));
            tokens.AddRange(step.AsSpan(0, made));
        }

        return (tokens, decoding, steps);
    }

    // p(token 2, token 3) summed over the first token, from plain decoding.
    private static double[] Joint(ModelRunner runner, double temperature)
    {
        var joint = new double[64];
        double[] first = Next([]);
        for (int a = 0; a < 8; a++)
        {
            double[] second = Next([a]);
            for (int b = 0; b < 8; b++)
            {
                double[] third = Next([a, b]);
                for (int c = 0; c < 8; c++) joint[b * 8 + c] += first[a] * second[b] * third[c];
            }
        }

        return joint;

        double[] Next(int[] generated)
        {
            using var sequence = runner.Cache.CreateSequence([2, 3]);
            foreach (int token in generated) sequence.Append(token);
            var batch = new StepBatch();
            batch.Add(sequence, 2, LogitRows.Last);
            runner.Forward(batch);
            if (generated.Length > 0)
            {
                batch.Clear();
                batch.Add(sequence, generated.Length, LogitRows.Last);
                runner.Forward(batch);
            }

            var logits = new float[8];
            runner.Model.Backend.Read(runner.Logits, logits);
            var p = new double[8];
            new Sampler(new SamplingOptions { Temperature = temperature, Seed = 1 }, 8, 8).Distribution(logits, sequence.Tokens, 2, p);
            return p;
        }
    }
}
