using Hadal.Numerics;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Training;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>A run stopped on some ranks goes on on others, with the losses of a run that was never stopped.</summary>
public sealed class ReshardingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-reshard-").FullName;

    [Theory]
    [InlineData("dualpipe", 2, 2, 1, null, 1, 1, 1)]
    [InlineData(null, 1, 1, 1, "dualpipe", 2, 2, 2)]
    [InlineData("1f1b", 1, 4, 2, "zb1p", 4, 1, 1)]
    [InlineData("dualpipev", 2, 1, 2, "1f1b", 2, 4, 1)]
    public void A_run_goes_on_in_another_layout(string? first, int p1, int e1, int d1, string? then, int p2, int e2, int d2)
    {
        var run = SmallRun.Of(null) with { Steps = 6, CheckpointEvery = 3, ValidateEvery = 3, ValidationSequences = 4, EmaDecay = 0.9 };
        string whole = Path.Combine(_folder, "whole"), cut = Path.Combine(_folder, "cut");
        Train(run, whole, 6);
        Train(run with { Parallel = Layout(first, p1, e1, d1) }, cut, 3);
        Train(run with { Parallel = Layout(then, p2, e2, d2) }, cut, 6);
        var expected = MetricsLog.Read(Path.Combine(whole, "metrics.jsonl"));
        var actual = MetricsLog.Read(Path.Combine(cut, "metrics.jsonl"));
        Assert.Equal(6, actual.Count);
        for (int s = 0; s < 6; s++)
        {
            Assert.Equal(expected[s].Loss, actual[s].Loss, 1e-6);
            Assert.Equal(expected[s].GradNorm, actual[s].GradNorm, 1e-5);
            Assert.Equal(expected[s].ExpertLoad, actual[s].ExpertLoad);
            Assert.Equal(expected[s].ValidationLoss ?? 0, actual[s].ValidationLoss ?? 0, 1e-6);
            Assert.Equal(expected[s].BiasSpread, actual[s].BiasSpread);
        }

        Assert.NotNull(actual[2].ValidationLoss);
        foreach (string model in new[] { "model", "model-ema" }) ModelFiles.SameWeights(Path.Combine(whole, model), Path.Combine(cut, model), 1e-4f);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ParallelSettings? Layout(string? schedule, int pipeline, int experts, int data) =>
        schedule is null ? null : new ParallelSettings { Schedule = schedule, Pipeline = pipeline, Experts = experts, Data = data };

    // Stops behind a step, as a person with Ctrl-C would: a checkpoint is written.
    private static void Train(RunConfig run, string folder, int until)
    {
        var source = new Counting(SmallRun.Config.VocabularySize);
        if (run.Parallel is null)
        {
            using var backend = new CpuBackend(1);
            using var alone = new TrainingRun(run, SmallRun.Config, folder, backend, source, source, run.ValidationSequences, []);
            Go(alone, until);
            return;
        }

        InProcessRanks.Run(run.Parallel.Ranks, world =>
        {
            using var backend = new CpuBackend(1);
            using var part = ParallelRun.Create(run, SmallRun.Config, folder, backend, world, source, source, run.ValidationSequences, []);
            Go(part, until);
        });
    }

    private static void Go(TrainingRun run, int until)
    {
        run.Resume();
        using var stop = new CancellationTokenSource();
        try
        {
            run.Run(step =>
            {
                if (step.Step == until) stop.Cancel();
            }, stop.Token);
        }
        catch (OperationCanceledException) when (until < run.Config.Steps)
        {
            Assert.Equal(until, run.StepsDone);
        }
    }
}
