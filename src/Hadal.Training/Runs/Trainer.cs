using System.Diagnostics;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Balance;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Model;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Runs;

/// <summary>Takes a model through its steps: micro-batches, clipping, AdamW, router biases. Knows no files.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly RunConfig _run;
    private readonly IBackend _backend;
    private readonly IBatchSource _source;
    private readonly AdamWOptimizer _optimizer;
    private readonly BatchLosses _losses;
    private readonly PackedBatch _batch;
    private readonly BalancePolicy _policy;

    public Trainer(RunConfig run, ModelConfig config, IBackend backend, IBatchSource source)
    {
        (_run, _backend, _source) = (run, backend, source);
        Model = new TrainingModel(backend, config, run.SequenceLength, OptionsOf(run));
        WeightInitializer.Initialize(backend, Model.Parameters, run.Seed, config.InitializerRange);
        _policy = BalancePolicy.Find(run.Balance)!;
        foreach (var experts in Model.ExpertLayers) experts.Balance(backend, _policy);
        Watch = new ExpertWatch(Model.ExpertLayers);
        _optimizer = new AdamWOptimizer(backend, Model.Parameters, run.Optimizer);
        _losses = Model.CreateLosses();
        _batch = new PackedBatch(run.MicroBatchSequences, run.SequenceLength);
    }

    public TrainingModel Model { get; }

    /// <summary>How the experts are used.</summary>
    public ExpertWatch Watch { get; }

    /// <summary>How a run trains its model.</summary>
    public static TrainingOptions OptionsOf(RunConfig run)
    {
        var precision = PrecisionPolicy.Find(run.Precision)!;
        bool isShort = run.Optimizer.Moments is { } moments ? moments == "bfloat16" : precision.HasShortMoments;
        return new TrainingOptions { Precision = precision, Recompute = run.Recompute, Moments = isShort ? DType.BF16 : DType.F32 };
    }

    private double BalanceWeight => _policy.LossFactor * _run.BalanceWeight;

    /// <summary>One optimizer step over the global batch.</summary>
    /// <param name="step">From 1.</param>
    /// <param name="watch">Judges the gradients; those that it refuses change no weight, moment or bias. Null takes every step.</param>
    public StepMetrics Step(int step, SpikeWatch? watch = null)
    {
        long started = Stopwatch.GetTimestamp();
        foreach (var experts in Model.ExpertLayers) experts.BeginStep();
        _losses.Clear();
        var scales = new LossScales(_run.TokensPerStep, _run.BatchSequences, (float)_run.MtpWeight, (float)BalanceWeight);
        try
        {
            for (int m = 0; m < _run.BatchSequences / _run.MicroBatchSequences; m++)
            {
                _source.Fill(step + (watch?.PassedBatches ?? 0), m, _batch);
                Model.ForwardBackward(_batch, scales, _losses);
            }
        }
        catch
        {
            // Half a batch is no step.
            _optimizer.Discard();
            throw;
        }

        double rate = LearningRateSchedule.At(_run.Optimizer, step, _run.Steps);
        double norm = _optimizer.Norm();
        string? refused = watch?.Judge(Loss(), norm);
        if (refused is null)
        {
            _optimizer.Step(step - (watch?.SkippedSteps ?? 0), rate, norm);
            UpdateBiases();
            watch?.Accept(norm);
        }
        else
        {
            _optimizer.Discard();
        }

        return Measure(step, rate, norm, Stopwatch.GetElapsedTime(started)) with { Skipped = refused };
    }

    /// <summary>Mean cross-entropy of the next token over some sequences, in nats.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="microBatches">How many micro-batches to look at.</param>
    /// <param name="cancellation">Stops between micro-batches.</param>
    public double Validate(IBatchSource source, int microBatches, CancellationToken cancellation)
    {
        var losses = Model.CreateLosses();
        Watch.BeginValidation();
        for (int m = 0; m < microBatches; m++)
        {
            cancellation.ThrowIfCancellationRequested();
            source.Fill(0, m, _batch);
            Model.Evaluate(_batch, losses);
            if (m == 0) Watch.LookAtChoices();
        }

        return losses.MainSum / ((double)microBatches * _batch.Sequences * _batch.Length);
    }

    public void Dispose() => Model.Dispose();

    private void UpdateBiases()
    {
        foreach (var experts in Model.ExpertLayers)
        {
            if (experts.BiasTensor.IsEmpty) continue;
            LoadBalance.UpdateBias(experts.Load, (float)(_policy.BiasFactor * _run.BiasUpdateRate), experts.Bias);
            experts.WriteBias(_backend);
        }
    }

    private double Loss() => _losses.MainSum / _run.TokensPerStep + _run.MtpWeight * _losses.Mtp(_run.TokensPerStep) + BalanceWeight * _losses.Balance(_run.BatchSequences);

    private StepMetrics Measure(int step, double rate, double norm, TimeSpan time)
    {
        long labels = _run.TokensPerStep;
        double main = _losses.MainSum / labels, balance = _losses.Balance(_run.BatchSequences);
        return Watch.AfterStep(new StepMetrics
        {
            Step = step,
            Tokens = step * _run.TokensPerStep,
            Loss = Loss(),
            MainLoss = main,
            MtpLoss = Array.ConvertAll(_losses.MtpSums, s => s / labels),
            BalanceLoss = balance,
            GradNorm = norm,
            LearningRate = rate,
            TokensPerSecond = labels / Math.Max(time.TotalSeconds, 1e-9),
            MaxViolation = [],
        });
    }
}
