using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Golden.Tests.Inference;

/// <summary>The published code's greedy continuation: the same tokens, logits within 1e-4 (see <see cref="TraceTests"/>).</summary>
public class GreedyTests
{
    [Theory]
    [InlineData("tiny-v3")]
    [InlineData("tiny-v2lite")]
    [InlineData("tiny-moonlight")]
    public void Continues_as_the_published_code_does(string name)
    {
        using var golden = new GoldenFolder(name);
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(golden.Path, backend, cancellation: TestContext.Current.CancellationToken);
        int vocabulary = model.Config.VocabularySize;
        int[] expected = golden.Integers("greedy/generated");
        float[] logits = golden.Floats("greedy/logits"), row = new float[vocabulary];
        using var cache = model.CreateCache(256);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence(golden.Integers("greedy/prompt"));
        var decoding = new Decoding(runner, sequence, new Sampler(SamplingOptions.Greedy, vocabulary, vocabulary));
        var token = new int[1];
        for (int i = 0; i < expected.Length; i++)
        {
            if (i == 0) token[0] = decoding.Prefill(cancellation: TestContext.Current.CancellationToken);
            else Assert.Equal(1, decoding.Step(token, TestContext.Current.CancellationToken));
            backend.Read(runner.Logits, row);
            Compare.Close(logits.AsSpan(i * vocabulary, vocabulary), row, 1e-4, $"logits of token {i}");
            Assert.Equal(expected[i], token[0]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Drafts_leave_the_greedy_text_as_it_is(int drafts)
    {
        using var golden = new GoldenFolder("tiny-v3");
        using var backend = new CpuBackend(1);
        using var model = InferenceModel.Load(golden.Path, backend, cancellation: TestContext.Current.CancellationToken);
        int vocabulary = model.Config.VocabularySize;
        int[] expected = golden.Integers("greedy/generated");
        using var cache = model.CreateCache(256);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence(golden.Integers("greedy/prompt"));
        var decoding = new Decoding(runner, sequence, new Sampler(SamplingOptions.Greedy, vocabulary, vocabulary), drafts);
        var tokens = new List<int> { decoding.Prefill(3, cancellation: TestContext.Current.CancellationToken) };
        var step = new int[drafts + 1];
        while (tokens.Count < expected.Length)
        {
            int count = decoding.Step(step.AsSpan(0, Math.Min(step.Length, expected.Length - tokens.Count)), TestContext.Current.CancellationToken);
            tokens.AddRange(step.AsSpan(0, count));
        }

        Assert.Equal(expected, tokens);
        Assert.InRange(decoding.Accepted, 0, decoding.Proposed);
    }
}
