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
    private readonly FrozenParameters _frozen;
    private readonly BatchLosses _losses;
    private readonly PackedBatch _batch;
    private readonly BalancePolicy _policy;
    private readonly BatchSchedule _schedule;
    private readonly long _lastTokens;

    public Trainer(RunConfig run, ModelConfig config, IBackend backend, IBatchSource source)
    {
        (_run, _backend, _source) = (run, backend, source);
        if (run.SequenceLength <= config.MtpLayers)
            throw new ConfigException("run file", "sequence_length", $"sequence_length is {run.SequenceLength}, but has to be above num_nextn_predict_layers ({config.MtpLayers})");
        _schedule = new BatchSchedule(run);
        _lastTokens = _schedule.TokensBefore(run.Steps);
        Model = new TrainingModel(backend, config, run.SequenceLength, OptionsOf(run));
        WeightInitializer.Initialize(backend, Model.Parameters, run.Seed, config.InitializerRange);
        _policy = BalancePolicy.Find(run.Balance)!;
        foreach (var experts in Model.ExpertLayers) experts.Balance(backend, _policy);
        Watch = new ExpertWatch(Model.ExpertLayers);
        _frozen = new FrozenParameters(Model, run.Freeze);
        _optimizer = new AdamWOptimizer(backend, Model.Parameters, run.Optimizer, _frozen);
        Average = run.EmaDecay > 0 ? new WeightAverage(Model, backend, run.EmaDecay) : null;
        _losses = Model.CreateLosses();
        _batch = new PackedBatch(run.MicroBatchSequences, run.SequenceLength);
    }

    public TrainingModel Model { get; }

    /// <summary>The moving average of the weights; null for none.</summary>
    public WeightAverage? Average { get; }

    /// <summary>How the experts are used.</summary>
    public ExpertWatch Watch { get; }

    /// <summary>How a run trains its model.</summary>
    public static TrainingOptions OptionsOf(RunConfig run)
    {
        var precision = PrecisionPolicy.Find(run.Precision)!;
        bool isShort = run.Optimizer.Moments is { } moments ? moments == "bfloat16" : precision.HasShortMoments;
        return new TrainingOptions { Precision = precision, Recompute = run.Recompute, Moments = isShort ? DType.BF16 : DType.F32 };
    }

    /// <summary>The batches of the run.</summary>
    public BatchSchedule Schedule => _schedule;

    private double BalanceWeight => _policy.LossFactor * _run.BalanceWeight;

    /// <summary>One optimizer step over the global batch.</summary>
    /// <param name="step">From 1.</param>
    /// <param name="watch">Judges the gradients; those that it refuses change no weight, moment or bias. Null takes every step.</param>
    public StepMetrics Step(int step, SpikeWatch? watch = null)
    {
        long started = Stopwatch.GetTimestamp();
        Average?.Start();
        foreach (var experts in Model.ExpertLayers) experts.BeginStep();
        _losses.Clear();
        long tokens = _schedule.Tokens(step);
        int microBatches = _schedule.MicroBatches(step), sequences = _schedule.Sequences(step);
        var position = new RunPosition(_schedule.TokensBefore(step), _lastTokens);
        double mtpWeight = position.Value(_run.MtpWeight, _run.MtpWeightChanges);
        long first = _schedule.MicroBatchesBefore(step) + (watch?.PassedMicroBatches ?? 0), labels = 0;

        // The source counts in steps of the full batch, so that a place in the data does not depend on how the batch grew.
        for (long g = first; g < first + microBatches; g++) labels += _source.CountLabels(g / _schedule.Largest + 1, (int)(g % _schedule.Largest), _batch);
        labels = Math.Max(1, labels);
        var scales = new LossScales(labels, sequences, (float)mtpWeight, (float)BalanceWeight);
        try
        {
            for (long g = first; g < first + microBatches; g++)
            {
                _source.Fill(g / _schedule.Largest + 1, (int)(g % _schedule.Largest), _batch);
                Model.ForwardBackward(_batch, scales, _losses);
            }
        }
        catch
        {
            // Half a batch is no step.
            _optimizer.Discard();
            throw;
        }

        double rate = LearningRateSchedule.At(_run.Optimizer, step, position);
        double norm = _optimizer.Norm();
        double main = _losses.MainSum / labels, balance = _losses.Balance(sequences), loss = main + mtpWeight * _losses.Mtp(labels) + BalanceWeight * balance;
        string? refused = watch?.Judge(loss, norm);
        if (refused is null)
        {
            Average?.Wait();
            _optimizer.Step(step - (watch?.SkippedSteps ?? 0), rate, norm);
            UpdateBiases(position.Value(_run.BiasUpdateRate, _run.BiasUpdateRateChanges));
            Average?.Begin();
            watch?.Accept(norm);
        }
        else
        {
            _optimizer.Discard();
        }

        return Watch.AfterStep(new StepMetrics
        {
            Step = step,
            Tokens = position.Tokens + tokens,
            Loss = loss,
            MainLoss = main,
            MtpLoss = Array.ConvertAll(_losses.MtpSums, s => s / labels),
            BalanceLoss = balance,
            GradNorm = norm,
            LearningRate = rate,
            TokensPerSecond = tokens / Math.Max(Stopwatch.GetElapsedTime(started).TotalSeconds, 1e-9),
            MaxViolation = [],
            Skipped = refused,
        });
    }

    /// <summary>Mean cross-entropy of the next token over some sequences, in nats, and the share of drafts of each MTP module that would be accepted.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="microBatches">How many micro-batches to look at.</param>
    /// <param name="cancellation">Stops between micro-batches.</param>
    public (double Loss, double[]? Acceptance) Validate(IBatchSource source, int microBatches, CancellationToken cancellation)
    {
        var losses = Model.CreateLosses();
        Watch.BeginValidation();
        long labels = 0;
        for (int m = 0; m < microBatches; m++)
        {
            cancellation.ThrowIfCancellationRequested();
            source.Fill(0, m, _batch);
            labels += _batch.CountedLabels;
            Model.Evaluate(_batch, losses);
            if (m == 0) Watch.LookAtChoices();
        }

        double[]? acceptance = losses.Accepted.Length == 0 ? null : [.. losses.Accepted.Zip(losses.MtpCounts, (accepted, rows) => (double)accepted / rows)];
        return (losses.MainSum / Math.Max(1, labels), acceptance);
    }

    public void Dispose()
    {
        Average?.Wait();
        Model.Dispose();
    }

    private void UpdateBiases(double rate)
    {
        foreach (var experts in Model.BiasedLayers)
        {
            if (_frozen.Contains(experts.BiasName)) continue;
            LoadBalance.UpdateBias(experts.Load, (float)(_policy.BiasFactor * rate), experts.Bias);
            experts.WriteBias(_backend);
        }
    }
}
