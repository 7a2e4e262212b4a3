using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Metrics;

public class ExpertWatchTests
{
    [Fact]
    public void A_step_says_how_its_tokens_were_spread()
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(TinyRun.Run, TinyRun.Config, backend, new TinyRun.Counting());
        var step = trainer.Step(1);
        Assert.Equal(2, step.LoadEntropy!.Length);
        Assert.All(step.LoadEntropy, e => Assert.InRange(e, 0.5, 1));
        Assert.Null(step.DeadExperts);

        // One step of γ up and down.
        Assert.All(step.BiasSpread!, s => Assert.Equal(2e-3, s, 1e-9));

        // Two choices within at most two of four groups: each token reaches one or two of them. The MTP module has one row less a sequence.
        Assert.All(step.ExpertLoad!.Zip(step.TokensPerGroup!, [4 * 24, 4 * 23]), layer =>
        {
            Assert.Equal(2 * layer.Third, layer.First.Sum());
            Assert.InRange(layer.Second.Sum(), layer.Third, 2 * layer.Third);
            for (int g = 0; g < 4; g++) Assert.InRange(layer.First[2 * g] + layer.First[2 * g + 1], layer.Second[g], 2 * layer.Second[g]);
        });
    }

    [Fact]
    public void Validations_pool_their_load_and_compare_choices_with_the_validation_before()
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(TinyRun.Run with { Optimizer = TinyRun.Run.Optimizer with { WarmupSteps = 0 } }, TinyRun.Config, backend, new TinyRun.Counting());
        var source = new TinyRun.Counting();
        StepMetrics Look(StepMetrics metrics)
        {
            trainer.Validate(source, 2, CancellationToken.None);
            return trainer.Watch.AfterValidation(metrics);
        }

        var first = Look(trainer.Step(1));
        Assert.Null(first.RoutingChurn);
        Assert.Equal(4 * 24 * 2, trainer.Model.ExpertLayers[0].Evaluated.Load.Sum());
        Assert.Equal([0.0, 0.0], Look(first).RoutingChurn!);
        Assert.Equal(first.ValidationMaxViolation!, Look(first).ValidationMaxViolation!);
        for (int step = 2; step <= 12; step++) first = trainer.Step(step);
        Assert.All(Look(first).RoutingChurn!, c => Assert.InRange(c, 1e-9, 0.9));
    }

    [Fact]
    public void An_expert_is_dead_after_a_hundred_steps_without_a_token()
    {
        using var backend = new CpuBackend(1);
        var config = TinyRun.Config;
        using var trainer = new Trainer(TinyRun.Run, config, backend, new TinyRun.Counting());
        var metrics = trainer.Step(1);
        var layer = trainer.Model.ExpertLayers[0];
        for (int step = 2; step <= ExpertWatch.DeadAfter; step++)
        {
            Array.Fill(layer.Load, 1);
            if (step > 2) layer.Load[3] = 0;
            metrics = trainer.Watch.AfterStep(metrics);
        }

        Assert.Equal(0, metrics.DeadExperts![0]);
        for (int step = 0; step < 3; step++) metrics = trainer.Watch.AfterStep(metrics);
        Assert.Equal(1, metrics.DeadExperts![0]);
    }
}
