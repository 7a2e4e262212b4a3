using System.Security.Cryptography;
using System.Text;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Checkpoints;
using Hadal.Training.Metrics;

namespace Hadal.Training.Runs;

/// <summary>A run in its folder: <c>run.json</c>, <c>metrics.jsonl</c>, <c>checkpoints/</c>, and the final <c>model/</c>.</summary>
/// <remarks>
/// Stopping (a cancelled token, Ctrl-C) finishes the step in hand and writes a checkpoint; running the same thing again with <c>resume</c> goes on from the newest
/// checkpoint and gives the same numbers as a run that was never stopped.
/// </remarks>
public sealed class TrainingRun : IDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyList<string> _tokenizerFiles;
    private readonly IBackend _backend;
    private readonly IBatchSource? _validation;
    private readonly int _validationMicroBatches;
    private readonly Trainer _trainer;
    private readonly string _hash;

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
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        (Config, _folder, _backend, _validation, _tokenizerFiles) = (run, folder, backend, validation, tokenizerFiles);
        _validationMicroBatches = validation is null ? 0 : validationMicroBatches;
        _trainer = new Trainer(run, config, backend, training);
        _hash = Hash(run);
    }

    /// <summary>The run file.</summary>
    public RunConfig Config { get; }

    /// <summary>Steps done.</summary>
    public int StepsDone { get; private set; }

    /// <summary>When set, the first step that ends later is the last one, as if the run had been planned so short.</summary>
    public DateTime? Deadline { get; set; }

    /// <summary>Folder of the final model.</summary>
    public string ModelFolder => Path.Combine(_folder, "model");

    /// <summary>File of the measurements.</summary>
    public string MetricsFile => Path.Combine(_folder, "metrics.jsonl");

    private string Checkpoints => Path.Combine(_folder, "checkpoints");

    /// <summary>Takes up the newest checkpoint of the folder.</summary>
    /// <returns>False if there is none: the run starts at its beginning.</returns>
    /// <exception cref="TrainingException">The checkpoint belongs to a run with other settings.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged.</exception>
    public bool Resume()
    {
        if (TrainingCheckpoint.FindNewest(Checkpoints) is not { } newest) return false;
        var state = TrainingCheckpoint.ReadState(newest);
        if (state.RunHash != _hash)
            throw new TrainingException($"{newest} belongs to a run with another model, data or batch; use its run file, or another folder.");
        TrainingCheckpoint.Load(newest, _trainer.Model, _backend);
        StepsDone = state.Step;
        return true;
    }

    /// <summary>Trains to the last step and writes the final model.</summary>
    /// <param name="progress">Told of every step, on this thread.</param>
    /// <param name="cancellation">Finishes the step in hand, writes a checkpoint, and throws.</param>
    /// <returns>The last step's measurements.</returns>
    /// <exception cref="OperationCanceledException">Stopped; a checkpoint was written.</exception>
    /// <exception cref="TrainingException">The loss is no longer a number.</exception>
    /// <exception cref="CheckpointException">A checkpoint or the model cannot be written.</exception>
    public StepMetrics Run(Action<StepMetrics>? progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_folder);
        AtomicFile.Write(Path.Combine(_folder, "run.json"), stream => stream.Write(Encoding.UTF8.GetBytes(Config.ToJson())));
        StepMetrics? last = null;
        using (var log = MetricsLog.Open(MetricsFile, StepsDone))
        {
            for (bool late = false; StepsDone < Config.Steps && !late;)
            {
                if (cancellation.IsCancellationRequested) Stop(cancellation);
                last = _trainer.Step(StepsDone + 1);
                if (!double.IsFinite(last.Loss))
                    throw new TrainingException($"The loss at step {last.Step} is not a number; a lower learning_rate usually helps. The run stands at its last checkpoint.");
                StepsDone++;
                late = DateTime.UtcNow >= Deadline;
                if (ValidationIsDue(last: late || StepsDone == Config.Steps)) last = _trainer.Watch.AfterValidation(last with { ValidationLoss = Validate(CancellationToken.None) });
                log.Append(last);
                progress?.Invoke(last);
                if (Config.CheckpointEvery > 0 && StepsDone % Config.CheckpointEvery == 0 && StepsDone < Config.Steps) SaveCheckpoint();
            }
        }

        // Not to be stopped: no checkpoint holds the last steps.
        ModelWeights.Save(_trainer.Model, _backend, ModelFolder, new CheckpointOptions
        {
            Type = Config.SaveDType == "bfloat16" ? DType.BF16 : DType.F32,
            CopiedFiles = _tokenizerFiles,
        }, CancellationToken.None);
        return last ?? MetricsLog.Read(MetricsFile)[^1];
    }

    /// <summary>Mean cross-entropy of the next token on the validation sequences, in nats; NaN without any.</summary>
    /// <param name="cancellation">Stops between micro-batches.</param>
    /// <returns>The loss.</returns>
    public double Validate(CancellationToken cancellation) =>
        _validationMicroBatches == 0 ? double.NaN : _trainer.Validate(_validation!, _validationMicroBatches, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _trainer.Dispose();

    private bool ValidationIsDue(bool last) =>
        _validationMicroBatches > 0 && (last || (Config.ValidateEvery > 0 && StepsDone % Config.ValidateEvery == 0));

    private void Stop(CancellationToken cancellation)
    {
        if (StepsDone > 0) SaveCheckpoint();
        throw new OperationCanceledException($"Stopped after step {StepsDone}; run the same command with --resume to go on.", cancellation);
    }

    private void SaveCheckpoint()
    {
        Directory.CreateDirectory(Checkpoints);
        var state = new TrainingState(StepsDone, StepsDone * Config.TokensPerStep, _hash);
        TrainingCheckpoint.Save(Path.Combine(Checkpoints, TrainingCheckpoint.Name(StepsDone)), _trainer.Model, _backend, state, _tokenizerFiles);
        TrainingCheckpoint.Prune(Checkpoints, Config.KeepCheckpoints);
    }

    // How often to save or validate may change between sittings; what is computed may not.
    internal static string Hash(RunConfig run)
    {
        var fixedPart = run with { CheckpointEvery = 0, KeepCheckpoints = 1, ValidateEvery = 0, ValidationSequences = 0, SaveDType = "float32" };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fixedPart.ToJson())));
    }
}
