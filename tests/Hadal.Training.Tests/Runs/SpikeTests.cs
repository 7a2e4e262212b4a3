using System.Text.Json;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class SpikeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-spike-").FullName;
    private readonly CpuBackend _backend = new(1);
    private readonly List<string> _warnings = [];

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_step_with_a_NaN_changes_no_weight_moment_or_bias_and_is_written_into_the_metrics()
    {
        // The skipped step is the last one, so the final model and moments have to be those of the step before.
        using var run = Start(TinyRun.Run with { Steps = 4 }, new Disturbed(4, float.NaN));
        float[] weights = [], first = [], second = [], biases = [];
        run.Run(m => Compare(m.Step), CancellationToken.None);
        var last = MetricsLog.Read(run.MetricsFile)[^1];
        Assert.Equal(4, last.Step);
        Assert.Contains("gradient norm is not a number", last.Skipped, StringComparison.Ordinal);
        Assert.True(double.IsNaN(last.GradNorm));
        Assert.Contains("Step 4: ", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(File.ReadAllLines(run.MetricsFile)[^1]).RootElement.GetProperty("grad_norm").ValueKind);

        void Compare(int step)
        {
            var p = run.Model.Parameters;
            float[] w = Read(p.Weights), m = Read(p.FirstMoments), v = Read(p.SecondMoments), b = [.. run.Model.ExpertLayers.SelectMany(e => e.Bias.ToArray())];
            if (step == 4)
            {
                Assert.Equal(weights, w);
                Assert.Equal(first, m);
                Assert.Equal(second, v);
                Assert.Equal(biases, b);
            }
            else
            {
                Assert.NotEqual(weights, w);
                Assert.NotEqual(biases, b);
            }

            (weights, first, second, biases) = (w, m, v, b);
        }
    }

    [Fact]
    public void A_run_with_a_skipped_step_goes_on_bit_for_bit_after_a_stop()
    {
        string whole = Path.Combine(_folder, "whole"), stopped = Path.Combine(_folder, "stopped");
        var config = TinyRun.Run with { SpikeFactor = 3, SpikeWindow = 2 };
        using (var run = Start(config, new Disturbed(3, float.NaN), whole)) run.Run(null, CancellationToken.None);
        using (var source = new CancellationTokenSource())
        using (var run = Start(config, new Disturbed(3, float.NaN), stopped))
        {
            Assert.Throws<OperationCanceledException>(() => run.Run(
                m =>
                {
                    if (m.Step == 4) source.Cancel();
                },
                source.Token));
        }

        using (var run = Start(config, new Disturbed(3, float.NaN), stopped))
        {
            Assert.True(run.Resume());
            run.Run(null, CancellationToken.None);
        }

        Assert.Equal(Model(whole), Model(stopped));
    }

    [Fact]
    public void Too_many_skips_in_a_row_stop_the_run_and_keep_a_checkpoint()
    {
        using var run = Start(TinyRun.Run with { Steps = 20, SpikeLimit = 3 }, new Disturbed(5, float.PositiveInfinity, count: 100));
        string message = Assert.Throws<TrainingException>(() => run.Run(null, CancellationToken.None)).Message;
        Assert.StartsWith("Step 8: the gradient norm is not a number", message, StringComparison.Ordinal);
        Assert.Contains("3 steps in a row were skipped", message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(_folder, "checkpoints", "step-00000007")));
    }

    [Fact]
    public void Stop_ends_the_run_with_the_step_before_and_another_policy_goes_on_from_there()
    {
        using (var run = Start(TinyRun.Run with { OnSpike = "stop" }, new Disturbed(4, float.NaN)))
            Assert.Contains("on_spike is stop", Assert.Throws<TrainingException>(() => run.Run(null, CancellationToken.None)).Message, StringComparison.Ordinal);
        using var again = Start(TinyRun.Run, new Disturbed(4, float.NaN));
        Assert.True(again.Resume());
        Assert.Equal(3, again.StepsDone);
        again.Run(null, CancellationToken.None);
        Assert.Equal(6, again.StepsDone);
    }

    [Fact]
    public void A_norm_far_above_the_running_median_is_a_spike_once_the_window_is_full()
    {
        // The disturbance puts 1000 on one gradient; the norms of this model are of order 1.
        var config = TinyRun.Run with { Steps = 8, SpikeFactor = 20, SpikeWindow = 4 };
        using var run = Start(config, new Disturbed(6, 1000));
        run.Run(null, CancellationToken.None);
        var steps = MetricsLog.Read(run.MetricsFile);
        Assert.Equal([6], steps.Where(s => s.Skipped is not null).Select(s => s.Step));
        Assert.Contains("above 20 times the running median", steps[5].Skipped, StringComparison.Ordinal);
    }

    [Fact]
    public void Rewind_goes_back_to_the_last_checkpoint_and_leaves_out_the_batches_since()
    {
        var config = TinyRun.Run with { Steps = 8, CheckpointEvery = 2, OnSpike = "rewind" };
        using var run = Start(config, new Disturbed(6, float.NaN));
        run.Run(null, CancellationToken.None);
        var steps = MetricsLog.Read(run.MetricsFile);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], steps.Select(s => s.Step));
        Assert.DoesNotContain(steps, s => s.Skipped is not null);
        Assert.Contains("batches 5 to 6 are left out", steps[4].Rewound, StringComparison.Ordinal);
        Assert.Single(steps, s => s.Rewound is not null);

        // The same weights as those of a run whose data never had these two batches.
        string other = Path.Combine(_folder, "other");
        using var without = Start(config, new Gap(), other);
        without.Run(null, CancellationToken.None);
        Assert.Equal(Model(other), Model(_folder));
    }

    [Fact]
    public void Rewinding_has_a_limit()
    {
        using var run = Start(TinyRun.Run with { Steps = 20, CheckpointEvery = 2, OnSpike = "rewind", SpikeLimit = 2 }, new Disturbed(6, float.NaN, count: 100));
        Assert.Contains("went back 2 times", Assert.Throws<TrainingException>(() => run.Run(null, CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(_folder, "checkpoints", "step-00000004")));
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _backend.Read(tensor, values);
        return values;
    }

    private TrainingRun Start(RunConfig config, IBatchSource source, string? folder = null)
    {
        var run = new TrainingRun(config, TinyRun.Config, folder ?? _folder, _backend, source, null, 0, []) { Warned = _warnings.Add };
        if (source is Disturbed disturbed) disturbed.Disturb = value => _backend.Write([value], run.Model.Parameters.Gradients.Reshape(new Shape(run.Model.Parameters.Count, 1)).RowRange(3, 1));
        return run;
    }

    private static byte[] Model(string folder) => File.ReadAllBytes(Path.Combine(folder, "model", "model.safetensors"));

    /// <summary>Tokens cannot be NaN, so the source puts the number into a gradient between two micro-batches of a batch, where it stays.</summary>
    private sealed class Disturbed(int batch, float value, int count = 1) : IBatchSource
    {
        public Action<float>? Disturb { get; set; }

        public void Fill(long stepNumber, int microBatch, PackedBatch packed)
        {
            new TinyRun.Counting().Fill(stepNumber, microBatch, packed);
            if (microBatch == 1 && stepNumber >= batch && stepNumber < batch + count) Disturb!(value);
        }
    }

    private sealed class Gap : IBatchSource
    {
        public void Fill(long stepNumber, int microBatch, PackedBatch batch) => new TinyRun.Counting().Fill(stepNumber > 4 ? stepNumber + 2 : stepNumber, microBatch, batch);
    }
}
