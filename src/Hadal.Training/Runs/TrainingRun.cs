using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Checkpoints;
using Hadal.Training.Metrics;

namespace Hadal.Training.Runs;

/// <summary>A run in its folder: <c>run.json</c>, <c>metrics.jsonl</c>, <c>checkpoints/</c>, and the final <c>model/</c> (and <c>model-ema/</c>).</summary>
/// <remarks>
/// Stopping (a cancelled token, Ctrl-C) finishes the step in hand and writes a checkpoint; running the same thing again with <c>resume</c> goes on from the newest
/// checkpoint and gives the same numbers as a run that was never stopped.
/// </remarks>
public sealed class TrainingRun : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _tokenizerFiles;
    private readonly IRunStore _store;
    private readonly IBatchSource? _validation;
    private readonly int _validationMicroBatches;
    private readonly Trainer _trainer;
    private readonly RunCheckpoints _checkpoints;
    private readonly SpikeWatch _watch;
    private readonly string _hash;
    private readonly string? _data;
    private string? _rewound;
    private bool _isLogWaiting;

    /// <summary>Builds model, optimizer and folder.</summary>
    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <param name="folder">Where everything goes; made if it is missing.</param>
    /// <param name="backend">Where to compute; not owned.</param>
    /// <param name="training">Training sequences.</param>
    /// <param name="validation">Validation sequences, filled with step 0; null for none.</param>
    /// <param name="validationMicroBatches">How many micro-batches a validation looks at.</param>
    /// <param name="tokenizerFiles">Files copied into the written models.</param>
    /// <exception cref="ConfigException">The model cannot be trained.</exception>
    public TrainingRun(
        RunConfig run, ModelConfig config, string folder, IBackend backend, IBatchSource training, IBatchSource? validation, int validationMicroBatches,
        IReadOnlyList<string> tokenizerFiles)
        : this(run, folder, training, validation, validationMicroBatches, tokenizerFiles, Local(run, config, backend, training))
    {
    }

    /// <summary>A run of which this process has a part.</summary>
    internal TrainingRun(
        RunConfig run, string folder, IBatchSource training, IBatchSource? validation, int validationMicroBatches, IReadOnlyList<string> tokenizerFiles, (Trainer Trainer, IRunStore Store) part)
    {
        (Config, _folder, _validation, _tokenizerFiles) = (run, folder, validation, tokenizerFiles);
        _validationMicroBatches = validation is null ? 0 : validationMicroBatches;
        (_trainer, _store) = part;
        _checkpoints = new RunCheckpoints(Path.Combine(folder, "checkpoints"), _store, run.KeepCheckpoints, tokenizerFiles);
        _watch = new SpikeWatch(run);
        (_hash, _data) = (Hash(run), training.Fingerprint);
    }

    /// <summary>The run file.</summary>
    public RunConfig Config { get; }

    /// <summary>Steps done.</summary>
    public int StepsDone { get; private set; }

    /// <summary>
    /// When set, the first step that ends so long after the start of <see cref="Run"/> is the last one, as if the run had been planned so short. Measured by a clock
    /// that nobody sets.
    /// </summary>
    public TimeSpan? TimeLimit { get; set; }

    /// <summary>
    /// What this machine's matrix product reaches in the precision of the run, in 10⁹ operations per second, measured by whoever starts it; when set, steps tell
    /// which share of it they reach (<see cref="StepMetrics.ModelFlopsUtilization"/>).
    /// </summary>
    public double? PeakGflops { get; set; }

    /// <summary>Folder of the final model.</summary>
    public string ModelFolder => Path.Combine(_folder, "model");

    /// <summary>Folder of the final model with averaged weights, for a run with an <see cref="RunConfig.EmaDecay"/>.</summary>
    public string AverageFolder => Path.Combine(_folder, "model-ema");

    /// <summary>File of the measurements.</summary>
    public string MetricsFile => Path.Combine(_folder, "metrics.jsonl");

    /// <summary>The model, for tests that disturb it.</summary>
    internal Model.TrainingModel Model => _trainer.Model;

    /// <summary>The checkpoints.</summary>
    internal RunCheckpoints Checkpoints => _checkpoints;

    /// <summary>Told, one sentence each, of what went wrong without stopping the run.</summary>
    public Action<string>? Warned { get; set; }

    /// <summary>Takes up the newest checkpoint of the folder that is what was written; <see cref="Warned"/> is told of damaged ones.</summary>
    /// <returns>False if there is none: the run starts at its beginning.</returns>
    /// <exception cref="TrainingException">The checkpoint belongs to a run with other settings, or over other data.</exception>
    /// <exception cref="CheckpointException">There are checkpoints, and all of them are damaged.</exception>
    public bool Resume()
    {
        if (_checkpoints.TakeUp(_hash, _data, Warned) is not { } state) return false;
        StepsDone = state.Step;
        _watch.Restore(state.Spikes);
        return true;
    }

    /// <summary>Trains to the last step and writes the final model.</summary>
    /// <param name="progress">Told of every step, on this thread.</param>
    /// <param name="cancellation">Finishes the step in hand, writes a checkpoint, and throws.</param>
    /// <returns>The last step's measurements.</returns>
    /// <exception cref="OperationCanceledException">Stopped; a checkpoint was written.</exception>
    /// <exception cref="TrainingException">Another process trains in the folder; or spikes, by <see cref="RunConfig.OnSpike"/> or more of them than it allows; or the data can no longer be read. A checkpoint was
    /// written.</exception>
    /// <exception cref="CheckpointException">The weights to start from cannot be read or do not fit; or the last checkpoint or the model cannot be written.</exception>
    public StepMetrics Run(Action<StepMetrics>? progress, CancellationToken cancellation)
    {
        if (StepsDone == 0 && Config.StartFrom is { } start) _store.LoadStart(Path.GetFullPath(start, _folder), Warned);
        Directory.CreateDirectory(_folder);
        using var folder = _store.IsWriter ? RunLock.Take(_folder) : null;
        var (main, mtp) = RunPlan.FlopsOf(Config, _trainer.Config);
        if (_store.IsWriter) AtomicFile.Write(Path.Combine(_folder, "run.json"), stream => stream.Write(Encoding.UTF8.GetBytes(Config.ToJson())));
        StepMetrics? last = null;
        long started = Stopwatch.GetTimestamp();
        try
        {
            using var log = _store.IsWriter ? MetricsLog.Open(MetricsFile, StepsDone) : null;
            for (bool late = false; StepsDone < Config.Steps && !late;)
            {
                if (_trainer.Engine.Agree(cancellation.IsCancellationRequested)) Stop(cancellation);
                _checkpoints.Report(wait: false, Warned);
                var step = Step();
                if (step.Skipped is not null && !Survive(step))
                {
                    log?.CutBehind(StepsDone);
                    continue;
                }

                (last, _rewound) = (step with { Rewound = _rewound, ModelFlopsUtilization = (main + mtp) * step.TokensPerSecond / (PeakGflops * 1e9) }, null);
                StepsDone++;
                late = TimeLimit is { } limit && _trainer.Engine.Agree(Stopwatch.GetElapsedTime(started) >= limit);
                if (ValidationIsDue(last: late || StepsDone == Config.Steps)) last = WithValidation(last);
                if (log is not null) Append(log, last);
                progress?.Invoke(last);
                if (Config.CheckpointEvery > 0 && StepsDone % Config.CheckpointEvery == 0 && StepsDone < Config.Steps) _checkpoints.Begin(State, Warned);
            }

            if (log is not null) WriteWaiting(log);
        }
        finally
        {
            _checkpoints.Report(wait: true, Warned);
        }

        // Not to be stopped: no checkpoint holds the last steps. The model itself comes last: it says that the run is complete.
        var options = new CheckpointOptions { Type = Config.SaveDType == "bfloat16" ? DType.BF16 : DType.F32, CopiedFiles = _tokenizerFiles };
        if (_trainer.Average is not null) _store.SaveModel(AverageFolder, options, average: true);
        _store.SaveModel(ModelFolder, options with
        {
            AddedFiles = new Dictionary<string, ReadOnlyMemory<byte>> { [TrainingState.FileInModel] = JsonSerializer.SerializeToUtf8Bytes(State, TrainingStateJson.Default.TrainingState) },
        }, average: false);
        return last ?? MetricsLog.Read(MetricsFile)[^1];
    }

    /// <summary>Mean cross-entropy of the next token on the validation sequences, in nats; NaN without any.</summary>
    /// <param name="cancellation">Stops between micro-batches.</param>
    /// <returns>The loss.</returns>
    public double Validate(CancellationToken cancellation) =>
        _validationMicroBatches == 0 ? double.NaN : _trainer.Validate(_validation!, _validationMicroBatches, cancellation).Loss;

    /// <inheritdoc/>
    public void Dispose()
    {
        _store.Dispose();
        _trainer.Dispose();
    }

    // A full disk is told of once, until there is room again.
    private void Append(MetricsLog log, StepMetrics step)
    {
        string? problem = log.Append(step);
        if (problem is not null && !_isLogWaiting)
            Warned?.Invoke($"{MetricsFile} cannot be written ({problem}); the run goes on, and what it measures waits until there is room.");
        _isLogWaiting = problem is not null;
    }

    private void WriteWaiting(MetricsLog log)
    {
        try
        {
            log.WriteWaiting();
        }
        catch (IOException e)
        {
            throw new TrainingException($"{MetricsFile} cannot be written ({e.Message.TrimEnd('.')}); make room and run the same command. {Keep()}");
        }
    }

    private StepMetrics WithValidation(StepMetrics step)
    {
        var (loss, acceptance) = _trainer.Validate(_validation!, _validationMicroBatches, CancellationToken.None);
        return _trainer.Watch.AfterValidation(step with { ValidationLoss = loss, ValidationAcceptance = acceptance });
    }

    private bool ValidationIsDue(bool last) =>
        _validationMicroBatches > 0 && (last || (Config.ValidateEvery > 0 && StepsDone % Config.ValidateEvery == 0));

    private TrainingState State => new(StepsDone, _trainer.Schedule.TokensBefore(StepsDone + 1L), _hash, _watch.State) { Data = _data };

    private StepMetrics Step()
    {
        try
        {
            return _trainer.Step(StepsDone + 1, _watch);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The batch of step {StepsDone + 1} cannot be read ({e.Message.TrimEnd('.')}); put the data back and run the same command. {Keep()}");
        }
    }

    private static (Trainer, IRunStore) Local(RunConfig run, ModelConfig config, IBackend backend, IBatchSource training)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(training);
        var trainer = new Trainer(run, config, backend, training);
        return (trainer, new LocalStore(trainer.Model, backend, trainer.Average));
    }

    // What happens to a step whose gradients were thrown away: true if the run goes on behind it, false if it went back.
    private bool Survive(StepMetrics step)
    {
        string place = $"Step {step.Step}: {step.Skipped}";
        if (Config.OnSpike == "stop") throw new TrainingException($"{place}; on_spike is stop. {Keep()}");
        if (Config.OnSpike == "rewind")
        {
            if (_watch.Rewinds >= Config.SpikeLimit)
                throw new TrainingException($"{place}; the run went back {_watch.Rewinds} times before, which is the limit (spike_limit). {Keep()}");
            if (_checkpoints.TakeUp(_hash, _data, Warned) is { } state)
            {
                long before = _trainer.Schedule.MicroBatchesBefore(state.Step + 1L), largest = _trainer.Schedule.Largest;
                long first = (before + _watch.PassedMicroBatches) / largest + 1;
                _watch.Rewind(state.Spikes, _trainer.Schedule.MicroBatchesBefore(step.Step + 1L) - before);
                long last = (before + _watch.PassedMicroBatches - 1) / largest + 1;
                StepsDone = state.Step;
                _rewound = $"{place}; batches {first} to {last} are left out";
                Warned?.Invoke($"{place}. The run went back to step {state.Step} and leaves out batches {first} to {last}.");
                return false;
            }
        }

        if (_watch.SkipsInARow >= Config.SpikeLimit)
            throw new TrainingException($"{place}; {_watch.SkipsInARow} steps in a row were skipped before, which is the limit (spike_limit); a lower learning_rate usually helps. {Keep()}");
        _watch.Skip();
        Warned?.Invoke($"{place}. The step was skipped: it changed nothing.");
        return true;
    }

    private void Stop(CancellationToken cancellation)
    {
        if (StepsDone > 0) _checkpoints.Save(State, prune: true, Warned);
        throw new OperationCanceledException($"Stopped after step {StepsDone}; run the same command with --resume to go on.", cancellation);
    }

    // Older checkpoints stay: a person may want to go back further.
    private string Keep()
    {
        if (StepsDone == 0) return "No step was done.";
        _checkpoints.Save(State, prune: false, Warned);
        return $"A checkpoint of step {StepsDone} is in {_checkpoints.Folder}.";
    }

    // How often to save or validate, what to do about spikes, and what is computed twice, and where, may change between sittings; what is computed from a good batch may not.
    internal static string Hash(RunConfig run)
    {
        var fixedPart = run with { Parallel = null, Recompute = [], CheckpointEvery = 0, KeepCheckpoints = 1, ValidateEvery = 0, ValidationSequences = 0, SaveDType = "float32", OnSpike = "skip", SpikeFactor = 0, SpikeWindow = 1, SpikeLimit = 1 };
        var settings = JsonNode.Parse(fixedPart.ToJson())!.AsObject();
        LeaveOut(settings, _usual);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(settings.ToJsonString())));
    }

    private static readonly JsonObject _usual = JsonNode.Parse(new RunConfig().ToJson())!.AsObject();

    // Settings that are as if nobody had set them do not count, so that a version with one setting more still knows the runs of the one before.
    private static void LeaveOut(JsonObject settings, JsonObject usual)
    {
        foreach (string name in settings.Select(s => s.Key).ToList())
        {
            if (settings[name] is JsonObject inner && usual[name] is JsonObject inside) LeaveOut(inner, inside);
            if (JsonNode.DeepEquals(settings[name], usual[name])) settings.Remove(name);
        }
    }
}
