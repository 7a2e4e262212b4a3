using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Running;

/// <summary>Steady decoding allocates no managed memory. The process may allocate elsewhere (the test platform), so the least of several rounds
/// counts.</summary>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public class AllocationTests
{
    [Theory]
    [InlineData(0, 0.0, 1, DType.F32)]
    [InlineData(3, 0.0, 1, DType.BF16)]
    [InlineData(0, 0.9, 1, DType.F8E4M3)]
    [InlineData(2, 0.9, 1, DType.F32)]
    [InlineData(2, 0.0, 2, DType.F32)]
    [InlineData(2, 0.0, 2, DType.BF16)]
    [InlineData(0, 0.0, 2, DType.F32, 1L << 30)]
    [InlineData(2, 0.0, 1, DType.F32, 1L << 30)]
    public void Decoding_allocates_nothing_per_token(int drafts, double temperature, int threads, DType cacheType, long? memory = null)
    {
        using var backend = new CpuBackend(threads);
        using var model = InferenceModel.Load(
            GoldenData.Folder("tiny-v3"), backend, new LoadOptions { Memory = memory }, cancellation: TestContext.Current.CancellationToken);
        using var cache = model.CreateCache(1024, cacheType);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([1, 2, 3, 4, 5], 1024);
        var options = new SamplingOptions
        {
            Temperature = temperature,
            TopK = 40,
            TopP = 0.9,
            MinP = 0.01,
            RepetitionPenalty = 1.1,
            PresencePenalty = 0.1,
            Seed = 1,
        };
        var decoding = new Decoding(runner, sequence, new Sampler(options, 512, 512), drafts);
        var tokens = new int[drafts + 1];
        decoding.Prefill(cancellation: TestContext.Current.CancellationToken);
        Generate(60);

        long leastOfThread = long.MaxValue, leastOfAll = long.MaxValue;
        for (int round = 0; round < 6 && (leastOfThread > 0 || leastOfAll > 0); round++)
        {
            long all = GC.GetTotalAllocatedBytes(true), thread = GC.GetAllocatedBytesForCurrentThread();
            Generate(50);
            leastOfThread = Math.Min(leastOfThread, GC.GetAllocatedBytesForCurrentThread() - thread);
            leastOfAll = Math.Min(leastOfAll, GC.GetTotalAllocatedBytes(true) - all);
        }

        Assert.Equal(0, leastOfThread);
        Assert.Equal(0, leastOfAll);

        void Generate(int count)
        {
            for (int done = 0; done < count;) done += decoding.Step(tokens);
        }
    }
}
