using Hadal.Numerics;
using Hadal.Training.Model;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public class TrainerTests
{
    [Fact]
    public void The_same_seed_gives_the_same_losses_bit_for_bit_on_any_number_of_threads()
    {
        double[] one = Losses(threads: 1), two = Losses(threads: 2), three = Losses(threads: 3), again = Losses(threads: 2);
        Assert.Equal(one, two);
        Assert.Equal(one, three);
        Assert.Equal(two, again);
        Assert.NotEqual(one, Losses(threads: 1, seed: 8));
    }

    [Fact]
    public void Training_lowers_the_loss_of_a_learnable_sequence()
    {
        double[] losses = Losses(threads: 2, steps: 60);
        Assert.True(losses[^1] < 0.5 * losses[0], $"{losses[0]} → {losses[^1]}");
    }

    [Fact]
    public void Cutting_the_batch_into_micro_batches_changes_only_rounding()
    {
        var whole = TinyRun.Run with { MicroBatchSequences = 4 };
        double[] cut = Losses(threads: 1), uncut = Losses(threads: 1, run: whole);

        // FP32 sums in another order: 1e-7 relative per step, amplified a little by Adam over six steps.
        for (int i = 0; i < cut.Length; i++) Assert.Equal(uncut[i], cut[i], 2e-4);
    }

    [Fact]
    public void A_micro_batch_allocates_no_managed_memory_in_steady_state()
    {
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, TinyRun.Config, TinyRun.Run.SequenceLength);
        var batch = new Batches.PackedBatch(2, TinyRun.Run.SequenceLength);
        new TinyRun.Counting().Fill(1, 0, batch);
        var losses = model.CreateLosses();
        var scales = new LossScales(96, 4, 0.3f, 1e-4f);
        for (int i = 0; i < 3; i++) model.ForwardBackward(batch, scales, losses);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < 10; i++) model.ForwardBackward(batch, scales, losses);
        Assert.Equal(0, GC.GetTotalAllocatedBytes(precise: true) - before);
    }

    [Fact]
    public void Evaluation_touches_neither_gradients_nor_loads()
    {
        using var backend = new CpuBackend(1);
        using var model = new TrainingModel(backend, TinyRun.Config, TinyRun.Run.SequenceLength);
        var batch = new Batches.PackedBatch(2, TinyRun.Run.SequenceLength);
        model.Evaluate(batch, model.CreateLosses());
        Assert.Equal(0, backend.SumOfSquares(model.Parameters.Gradients));
        Assert.All(model.ExpertLayers, e => Assert.All(e.Load, n => Assert.Equal(0, n)));
    }

    private static double[] Losses(int threads, int steps = 6, ulong seed = 7, RunConfig? run = null)
    {
        run = (run ?? TinyRun.Run) with { Steps = steps, Seed = seed };
        using var backend = new CpuBackend(threads);
        using var trainer = new Trainer(run, TinyRun.Config, backend, new TinyRun.Counting());
        return [.. Enumerable.Range(1, steps).Select(s => trainer.Step(s).Loss)];
    }
}
