using Hadal.Model.Configuration;
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

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Cutting_the_batch_into_micro_batches_changes_no_bit(int mtpModules)
    {
        // Sums over tokens are chains in the order of the tokens, also in tensors that the main model and its MTP modules share.
        double[] Run(int sequences) => Losses(threads: 2, run: TinyRun.Run with { MicroBatchSequences = sequences }, config: TinyRun.Config with { MtpLayers = mtpModules });
        double[] whole = Run(4);
        Assert.Equal(whole, Run(2));
        Assert.Equal(whole, Run(1));
    }

    [Theory]
    [InlineData("bf16", 2e-3)]
    [InlineData("fp8", 2e-2)]
    public void With_rounded_operands_it_changes_only_rounding(string precision, double bound)
    {
        // Products of bfloat16 add pairs of tokens, FP8 has tiles of 128 tokens: where an expert's rows end, a cut moves them.
        double[] Run(int sequences) => Losses(threads: 2, run: TinyRun.Run with { MicroBatchSequences = sequences, Precision = precision });
        double[] whole = Run(4), cut = Run(1);
        for (int i = 0; i < whole.Length; i++) Assert.Equal(whole[i], cut[i], bound * whole[i]);
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

    private static double[] Losses(int threads, int steps = 6, ulong seed = 7, RunConfig? run = null, ModelConfig? config = null)
    {
        run = (run ?? TinyRun.Run) with { Steps = steps, Seed = seed };
        using var backend = new CpuBackend(threads);
        using var trainer = new Trainer(run, config ?? TinyRun.Config, backend, new TinyRun.Counting());
        return [.. Enumerable.Range(1, steps).Select(s => trainer.Step(s).Loss)];
    }
}
