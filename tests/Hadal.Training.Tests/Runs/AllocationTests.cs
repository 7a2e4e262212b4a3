using Hadal.Numerics;
using Hadal.Training.Model;
using Hadal.Training.Precision;

namespace Hadal.Training.Tests.Runs;

/// <summary>Counts bytes over all threads, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    [Theory]
    [InlineData("fp32")]
    [InlineData("fp8")]
    public void A_micro_batch_allocates_no_managed_memory_in_steady_state(string precision)
    {
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, TinyRun.Config, TinyRun.Run.SequenceLength, new TrainingOptions { Precision = PrecisionPolicy.Find(precision)! });
        var batch = new Batches.PackedBatch(2, TinyRun.Run.SequenceLength);
        new TinyRun.Counting().Fill(1, 0, batch);
        var losses = model.CreateLosses();
        var scales = new LossScales(96, 4, 0.3f, 1e-4f);

        // Worker threads make their scratch when they first get a tile, and the test platform allocates now and then: some round has to be without.
        long least = long.MaxValue;
        for (int round = 0; round < 20 && least > 0; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 10; i++) model.ForwardBackward(batch, scales, losses);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);
    }
}
