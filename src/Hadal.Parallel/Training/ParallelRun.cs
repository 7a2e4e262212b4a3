using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Checkpoints;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Training.Batches;
using Hadal.Training.Parameters;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Training;

/// <summary>A run over several ranks, as one of them has it: the same folder, files and rules as those of a run on one rank, which can go on from it and the reverse.</summary>
public static class ParallelRun
{
    /// <summary>Finds what keeps a run from being cut over ranks, before any data are read.</summary>
    /// <param name="run">A valid run with <see cref="RunConfig.Parallel"/>.</param>
    /// <param name="config">Its model.</param>
    /// <exception cref="ConfigException">It cannot be cut so.</exception>
    public static void Check(RunConfig run, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        if (run.Parallel is { } settings) ParallelEngine.Check(run, config, settings, ScheduleNames.Parse(settings.Schedule), settings.Ranks);
    }

    /// <summary>Builds one rank's part of the run. Called by all ranks together.</summary>
    /// <param name="run">A valid run with <see cref="RunConfig.Parallel"/>.</param>
    /// <param name="config">Its model.</param>
    /// <param name="folder">Where everything goes; the same for all ranks.</param>
    /// <param name="backend">Where this rank computes; not owned.</param>
    /// <param name="world">All ranks; not owned.</param>
    /// <param name="training">Training sequences, the same for all ranks.</param>
    /// <param name="validation">Validation sequences, likewise; null for none.</param>
    /// <param name="validationMicroBatches">How many micro-batches a validation looks at.</param>
    /// <param name="tokenizerFiles">Files copied into the written models.</param>
    /// <returns>The run; rank 0 writes its files.</returns>
    /// <exception cref="ConfigException">The run cannot be cut so.</exception>
    public static TrainingRun Create(
        RunConfig run, ModelConfig config, string folder, IBackend backend, ICollective world, IBatchSource training, IBatchSource? validation, int validationMicroBatches,
        IReadOnlyList<string> tokenizerFiles)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(world);
        ParallelEngine? engine = null;
        var trainer = new Trainer(
            run, config, training, () => engine = new ParallelEngine(run, config, backend, world), made => new WeightAverage((ParallelEngine)made, backend, run.EmaDecay));
        return new TrainingRun(run, folder, training, validation, validationMicroBatches, tokenizerFiles, (trainer, new ShardedStore(engine!, backend, trainer.Average)));
    }
}
