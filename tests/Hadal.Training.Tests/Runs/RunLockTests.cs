using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class RunLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-lock-").FullName;
    private readonly CpuBackend _backend = new(1);

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_folder_is_that_of_one_run_at_a_time_and_says_so_while_it_lasts()
    {
        Assert.False(RunFolder.IsTraining(_folder));
        using var run = Create();
        var seen = new List<bool>();
        run.Run(
            step =>
            {
                seen.Add(RunFolder.IsTraining(_folder));
                if (step.Step != 1) return;
                using var other = Create();
                var e = Assert.Throws<TrainingException>(() => other.Run(null, CancellationToken.None));
                Assert.Contains("another process trains", e.Message, StringComparison.Ordinal);
            },
            CancellationToken.None);
        Assert.Equal(Enumerable.Repeat(true, TinyRun.Run.Steps), seen);
        Assert.False(RunFolder.IsTraining(_folder));
        Assert.Equal(RunFolderState.Complete, RunFolder.Look(_folder, TinyRun.Run));
    }

    [Fact]
    public void The_lock_of_a_process_that_was_killed_means_nothing()
    {
        File.WriteAllText(Path.Combine(_folder, "run.lock"), "");
        Assert.False(RunFolder.IsTraining(_folder));
        using var run = Create();
        run.Run(null, CancellationToken.None);
        Assert.False(File.Exists(Path.Combine(_folder, "run.lock")));
    }

    [Fact]
    public void Steps_tell_the_share_of_a_peak_that_was_measured_and_nothing_of_one_that_was_not()
    {
        using var run = Create();
        run.PeakGflops = 100;
        var steps = new List<StepMetrics>();
        run.Run(steps.Add, CancellationToken.None);
        double flops = RunPlan.Of(TinyRun.Run, TinyRun.Config).FlopsPerToken;
        Assert.All(steps, s => Assert.Equal(flops * s.TokensPerSecond / 1e11, s.ModelFlopsUtilization!.Value, 12)); // the same numbers multiplied in another order
        Assert.Equal(steps.Select(s => s.ModelFlopsUtilization), MetricsLog.Read(run.MetricsFile).Select(s => s.ModelFlopsUtilization));

        using var plain = new TrainingRun(TinyRun.Run, TinyRun.Config, Path.Combine(_folder, "plain"), _backend, new TinyRun.Counting(), null, 0, []);
        plain.Run(null, CancellationToken.None);
        Assert.DoesNotContain("mfu", File.ReadAllText(plain.MetricsFile), StringComparison.Ordinal);
    }

    private TrainingRun Create() => new(TinyRun.Run, TinyRun.Config, _folder, _backend, new TinyRun.Counting(), null, 0, []);
}
