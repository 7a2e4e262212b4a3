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
    private readonly IBatchSource _source;
    private readonly ITrainingEngine _engine;
    private readonly BatchLosses _losses;
    private readonly BalancePolicy _policy;
    private readonly BatchSchedule _schedule;
    private readonly long _lastTokens;

    /// <summary>Trains in this process alone.</summary>
    public Trainer(RunConfig run, ModelConfig config, IBackend backend, IBatchSource source)
        : this(run, config, source, () => new LocalEngine(run, config, backend), engine => new WeightAverage(((LocalEngine)engine).Model, backend, run.EmaDecay))
    {
    }

    /// <summary>Trains with any engine.</summary>
    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <param name="source">Training sequences.</param>
    /// <param name="engine">Makes the engine.</param>
    /// <param name="average">Makes the average of the weights that live in this process.</param>
    /// <exception cref="ConfigException">The model cannot be trained so.</exception>
    public Trainer(RunConfig run, ModelConfig config, IBatchSource source, Func<ITrainingEngine> engine, Func<ITrainingEngine, WeightAverage> average)
    {
        (_run, _source, Config) = (run, source, config);
        if (run.SequenceLength <= config.MtpLayers)
            throw new ConfigException("run file", "sequence_length", $"sequence_length is {run.SequenceLength}, but has to be above num_nextn_predict_layers ({config.MtpLayers})");
        _schedule = new BatchSchedule(run);
        _lastTokens = _schedule.TokensBefore(run.Steps);
        _policy = BalancePolicy.Find(run.Balance)!;
        _engine = engine();
        Watch = new ExpertWatch(_engine.ExpertLayers);
        Average = run.EmaDecay > 0 ? average(_engine) : null;
        _losses = ModelStage.CreateLosses(config);
    }

    /// <summary>The model's configuration.</summary>
    public ModelConfig Config { get; }

    /// <summary>What is driven.</summary>
    public ITrainingEngine Engine => _engine;

    /// <summary>The model, if it is whole and in this process.</summary>
    public TrainingModel Model => ((LocalEngine)_engine).Model;

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
        _engine.BeginStep();
        _losses.Clear();
        long tokens = _schedule.Tokens(step);
        int microBatches = _schedule.MicroBatches(step), sequences = _schedule.Sequences(step);
        var position = new RunPosition(_schedule.TokensBefore(step), _lastTokens);
        double mtpWeight = position.Value(_run.MtpWeight, _run.MtpWeightChanges);
        var batches = new StepBatches(_source, _schedule.MicroBatchesBefore(step) + (watch?.PassedMicroBatches ?? 0), microBatches, _schedule.Largest);
        long labels = Math.Max(1, _engine.CountLabels(batches));
        try
        {
            _engine.ForwardBackward(batches, new LossScales(labels, sequences, (float)mtpWeight, (float)BalanceWeight), _losses);
        }
        catch
        {
            // Half a batch is no step.
            _engine.Discard();
            throw;
        }

        double rate = LearningRateSchedule.At(_run.Optimizer, step, position);
        double norm = _engine.GradientNorm();
        double main = _losses.MainSum / labels, balance = _losses.Balance(sequences), loss = main + mtpWeight * _losses.Mtp(labels) + BalanceWeight * balance;
        string? refused = watch?.Judge(loss, norm);
        if (refused is null)
        {
            Average?.Wait();
            _engine.Update(step - (watch?.SkippedSteps ?? 0), rate, norm);
            _engine.UpdateBiases(_policy.BiasFactor * position.Value(_run.BiasUpdateRate, _run.BiasUpdateRateChanges));
            Average?.Begin();
            watch?.Accept(norm);
        }
        else
        {
            _engine.Discard();
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
        var losses = new BatchLosses(_losses.MtpSums.Length, _losses.BalanceSums.Length);
        long labels = _engine.Evaluate(source, microBatches, losses, Watch.LookAtChoices, cancellation);
        double[]? acceptance = losses.Accepted.Length == 0 ? null : [.. losses.Accepted.Zip(losses.MtpCounts, (accepted, rows) => (double)accepted / rows)];
        return (losses.MainSum / Math.Max(1, labels), acceptance);
    }

    public void Dispose()
    {
        Average?.Wait();
        _engine.Dispose();
    }
}
