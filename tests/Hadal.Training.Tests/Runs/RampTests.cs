using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public sealed class RampTests : IDisposable
{
    // 24 tokens a sequence: 1, 1, 2, 3, 4, 4 micro-batches of 2 sequences, so t = 0, 48, 96, 192, 336, 528 before the steps.
    private static readonly RunConfig _ramp = TinyRun.Run with { BatchSequences = 8, BatchRamp = new BatchRamp(2, 264), CheckpointEvery = 2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-ramp-").FullName;
    private readonly CpuBackend _backend = new(1);

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_growing_batch_takes_the_data_in_order_and_its_metrics_are_of_the_batch_it_had()
    {
        var source = new Recording();
        using var run = Start(_folder, _ramp, source);
        run.Run(null, CancellationToken.None);
        Assert.Equal([48, 96, 192, 336, 528, 720], MetricsLog.Read(run.MetricsFile).Select(m => m.Tokens));
        Assert.Equal(720, _ramp.Tokens);
        Assert.Equal(Enumerable.Range(0, 15).Select(g => (g / 4 + 1L, g % 4)), source.Asked);
    }

    [Fact]
    public void The_loss_of_a_small_batch_is_divided_by_its_own_size()
    {
        // The first step of the ramp sees what the first step of a run with that batch sees; only where the rate of the step stands in the run differs.
        using var ramp = new Trainer(_ramp, TinyRun.Config, _backend, new TinyRun.Counting());
        using var small = new Trainer(_ramp with { BatchRamp = null, BatchSequences = 2 }, TinyRun.Config, _backend, new TinyRun.Counting());
        StepMetrics a = ramp.Step(1), b = small.Step(1);
        Assert.Equal((b.Loss, b.GradNorm, b.Tokens), (a.Loss, a.GradNorm, a.Tokens));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_run_stopped_on_the_ramp_goes_on_bit_for_bit(int at)
    {
        string whole = Path.Combine(_folder, "whole"), stopped = Path.Combine(_folder, "stopped");
        using (var run = Start(whole, _ramp, new TinyRun.Counting())) run.Run(null, CancellationToken.None);
        using (var stop = new CancellationTokenSource())
        using (var run = Start(stopped, _ramp, new TinyRun.Counting()))
        {
            Assert.Throws<OperationCanceledException>(() => run.Run(
                m =>
                {
                    if (m.Step == at) stop.Cancel();
                },
                stop.Token));
        }

        using (var run = Start(stopped, _ramp, new TinyRun.Counting()))
        {
            Assert.True(run.Resume());
            Assert.Equal(at, run.StepsDone);
            run.Run(null, CancellationToken.None);
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(stopped, "model", "model.safetensors")));
    }

    [Fact]
    public void A_rewind_on_the_ramp_leaves_out_the_micro_batches_since_the_checkpoint()
    {
        // Step 4 has micro-batches 4 to 6; the checkpoint of step 2 is behind 2, so 5 are left out.
        var config = _ramp with { OnSpike = "rewind", EmaDecay = 0.5 };
        string spoilt = Path.Combine(_folder, "spoilt"), without = Path.Combine(_folder, "without");
        var source = new Shifted(g => g);
        using (var run = Start(spoilt, config, source))
        {
            source.Asked = g =>
            {
                if (g == 5) _backend.Write([float.NaN], run.Model.Parameters.Gradients.Reshape(new Shape(run.Model.Parameters.Count, 1)).RowRange(3, 1));
            };
            run.Run(null, CancellationToken.None);
            Assert.Contains("batches 1 to 2 are left out", MetricsLog.Read(run.MetricsFile)[2].Rewound, StringComparison.Ordinal);
        }

        using (var run = Start(without, config, new Shifted(g => g < 2 ? g : g + 5))) run.Run(null, CancellationToken.None);
        foreach (string model in new[] { "model", "model-ema" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(without, model, "model.safetensors")), File.ReadAllBytes(Path.Combine(spoilt, model, "model.safetensors")));
    }

    [Fact]
    public void The_weight_of_the_MTP_loss_and_the_step_of_the_biases_change_where_the_run_file_says()
    {
        // Steps 1 to 6 stand at 0, 96, …, 480 tokens.
        var run = TinyRun.Run with { BalanceWeight = 0, MtpWeightChanges = [new(192, 0.1)], BiasUpdateRateChanges = [new(0.6, 0)] };
        using var trainer = new Trainer(run, TinyRun.Config, _backend, new TinyRun.Counting());
        float[] biases = [];
        for (int step = 1; step <= 6; step++)
        {
            var m = trainer.Step(step);
            Assert.Equal(m.MainLoss + (step < 3 ? 0.3 : 0.1) * m.MtpLoss[0], m.Loss, 1e-12);
            float[] now = [.. trainer.Model.ExpertLayers.SelectMany(e => e.Bias.ToArray())];
            if (step < 4) Assert.NotEqual(biases, now);
            else Assert.Equal(biases, now);
            biases = now;
        }
    }

    private TrainingRun Start(string folder, RunConfig run, IBatchSource source) => new(run, TinyRun.Config, folder, _backend, source, null, 0, []);

    private sealed class Recording : IBatchSource
    {
        public List<(long, int)> Asked { get; } = [];

        public void Fill(long stepNumber, int microBatch, PackedBatch batch)
        {
            Asked.Add((stepNumber, microBatch));
            new TinyRun.Counting().Fill(stepNumber, microBatch, batch);
        }
    }

    /// <summary>The data with other numbers of micro-batches.</summary>
    private sealed class Shifted(Func<long, long> place) : IBatchSource
    {
        public Action<long>? Asked { get; set; }

        public void Fill(long stepNumber, int microBatch, PackedBatch batch)
        {
            long g = place((stepNumber - 1) * 4 + microBatch);
            Asked?.Invoke(g);
            new TinyRun.Counting().Fill(g / 4 + 1, (int)(g % 4), batch);
        }
    }
}
