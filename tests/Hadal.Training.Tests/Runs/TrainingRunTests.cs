using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-run-").FullName;
    private readonly CpuBackend _backend = new(1);

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_bit_for_bit()
    {
        string whole = Path.Combine(_folder, "whole"), stopped = Path.Combine(_folder, "stopped");
        using (var run = Start(whole)) run.Run(null, CancellationToken.None);

        using (var source = new CancellationTokenSource())
        using (var run = Start(stopped))
        {
            Assert.Throws<OperationCanceledException>(() => run.Run(m => Cancel(m, source), source.Token));
            Assert.Equal(4, run.StepsDone);
        }

        using (var run = Start(stopped))
        {
            Assert.True(run.Resume());
            run.Run(null, CancellationToken.None);
        }

        double[] expected = Losses(whole), actual = Losses(stopped);
        Assert.Equal(expected, actual);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(stopped, "model", "model.safetensors")));

        static void Cancel(StepMetrics m, CancellationTokenSource source)
        {
            if (m.Step == 4) source.Cancel();
        }
    }

    [Fact]
    public void The_final_model_is_a_checkpoint_that_opens()
    {
        using (var run = Start(_folder)) run.Run(null, CancellationToken.None);
        using var checkpoint = Checkpoint.Open(Path.Combine(_folder, "model"));
        Assert.Equal(TinyRun.Config.HiddenSize, checkpoint.Config.HiddenSize);
        Assert.Equal(TinyRun.Config.MtpLayers, checkpoint.MtpLayers);
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused()
    {
        using (var run = Start(_folder)) run.Run(null, CancellationToken.None);
        using var other = Start(_folder, TinyRun.Run with { CheckpointEvery = 2, Seed = 99 });
        Assert.Contains("another model, data or batch", Assert.Throws<TrainingException>(() => other.Resume()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_checkpoints_are_deleted_and_a_half_written_one_is_not_taken_up()
    {
        using (var run = Start(_folder)) run.Run(null, CancellationToken.None);
        string checkpoints = Path.Combine(_folder, "checkpoints");
        Assert.Equal(["step-00000002", "step-00000004"], Directory.EnumerateDirectories(checkpoints).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // What a kill in the middle of a write leaves: a temporary folder, or a folder without its last file.
        Directory.CreateDirectory(Path.Combine(checkpoints, "step-00000006.tmp-0badf00d"));
        Directory.CreateDirectory(Path.Combine(checkpoints, "step-00000005"));
        using var again = Start(_folder);
        Assert.True(again.Resume());
        Assert.Equal(4, again.StepsDone);
    }

    [Fact]
    public void A_loss_that_is_not_a_number_stops_the_run_with_a_sentence()
    {
        var run = TinyRun.Run with { Steps = 30, OnSpike = "stop", Optimizer = TinyRun.Run.Optimizer with { LearningRate = 10, FinalLearningRate = 10, WarmupSteps = 0, ClipNorm = 0 } };
        using var wild = Start(_folder, run, new Overflowing());
        Assert.Contains("not a number", Assert.Throws<TrainingException>(() => wild.Run(null, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    private TrainingRun Start(string folder, RunConfig? run = null, Batches.IBatchSource? source = null)
    {
        run ??= TinyRun.Run with { CheckpointEvery = 2, ValidateEvery = 3 };
        var config = source is Overflowing ? TinyRun.Config with { InitializerRange = 1e18 } : TinyRun.Config;
        source ??= new TinyRun.Counting();
        return new TrainingRun(run, config, folder, _backend, source, source, 1, []);
    }

    private static double[] Losses(string folder) => [.. MetricsLog.Read(Path.Combine(folder, "metrics.jsonl")).Select(m => m.Loss)];

    /// <summary>The same sequences, for weights so large that the logits overflow.</summary>
    private sealed class Overflowing : Batches.IBatchSource
    {
        public void Fill(long stepNumber, int microBatch, Batches.PackedBatch batch) => new TinyRun.Counting().Fill(stepNumber, microBatch, batch);
    }
}
