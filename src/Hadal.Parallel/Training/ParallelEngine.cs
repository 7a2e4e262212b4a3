using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Experts;
using Hadal.Parallel.Layout;
using Hadal.Parallel.Pipeline;
using Hadal.Parallel.Schedules;
using Hadal.Training.Balance;
using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Model;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Training;

/// <summary>One rank of a training job over several: its part of the model, the schedule that it executes, and what it merges with the others.</summary>
/// <remarks>
/// <para>
/// The micro-batches of a step are dealt out to the ranks of a pipeline place in turn; every rank of a pipeline reads the ones that pass through it from the data itself, so that neither tokens nor labels
/// travel. Losses, norms and loads are the same numbers on all ranks, to the bit, and so are their decisions.
/// </para>
/// <para>
/// Numbers differ from those of one rank only where sums are cut: gradients of parameters with copies (summed per rank, then over ranks), the embedding's where its two ends are on two ranks, results of
/// experts on several ranks, and the FP64 sums of losses and norms.
/// </para>
/// </remarks>
internal sealed class ParallelEngine : ITrainingEngine, IModelWeights
{
    private const long StagingElements = 4 << 20;
    private readonly RunConfig _run;
    private readonly IBackend _backend;
    private readonly CpuBackend? _exchangeBackend;
    private readonly ScheduleKind _kind;
    private readonly RankModel _model;
    private readonly ScheduleExecutor _executor;
    private readonly PackedBatch _batch;
    private readonly Dictionary<int, Schedule> _schedules = [];
    private readonly MergedExperts[] _experts;
    private readonly Storage _staging;

    /// <summary>Made by all ranks of the world together.</summary>
    /// <param name="run">A valid run with <see cref="RunConfig.Parallel"/>.</param>
    /// <param name="config">Its model.</param>
    /// <param name="backend">Where this rank computes; not owned.</param>
    /// <param name="world">All ranks; not owned.</param>
    /// <exception cref="ConfigException">The run cannot be cut so.</exception>
    public ParallelEngine(RunConfig run, ModelConfig config, IBackend backend, ICollective world)
    {
        (_run, _backend) = (run, backend);
        var settings = run.Parallel ?? new ParallelSettings();
        _kind = ScheduleNames.Parse(settings.Schedule);
        Layout = Check(run, config, settings, _kind, world.Size);
        var stages = new StageLayout(_kind, Layout.Pipeline);
        Groups = new RankGroups(world, Layout, p => RankModel.Embeds(config, stages, p));
        if (Layout.Experts > 1)
        {
            _exchangeBackend = new CpuBackend(1);
            Dispatch = new ExpertDispatch(
                Groups.Experts, PlacementOf(config, settings), _exchangeBackend, RowPayload.Find(settings.Dispatch, config.HiddenSize)!, settings.Combine == "bf16", config.HiddenSize, config.ExpertsPerToken);
        }

        var options = Trainer.OptionsOf(run);
        _model = new RankModel(backend, config, run.SequenceLength, options, Layout, stages, Layout.LayersOfStages(config, settings.StageLayers), Groups, Dispatch, run.Optimizer);
        WeightInitializer.Initialize(backend, _model.Named, run.Seed, config.InitializerRange);
        foreach (var (_, layer) in _model.ExpertLayers) layer.Balance(backend, BalancePolicy.Find(run.Balance)!);
        _executor = new ScheduleExecutor(backend, _model.Stages, Groups.Pipeline, config.HiddenSize);
        _batch = new PackedBatch(run.MicroBatchSequences, run.SequenceLength);
        _experts = [.. Enumerable.Range(0, ModelStage.ExpertLayersBefore(config, config.Layers + config.MtpLayers)).Select(_ => new MergedExperts(config.RoutedExperts, config.Groups, config.ExpertsPerToken))];
        _staging = backend.CreateStorage(Math.Max(StagingElements, 64L * world.Size) * sizeof(float));
    }

    public ParallelLayout Layout { get; }

    public RankGroups Groups { get; }

    /// <summary>Carries rows to experts on other ranks; null if there are none.</summary>
    public ExpertDispatch? Dispatch { get; }

    /// <summary>What this rank holds.</summary>
    public RankModel Model => _model;

    public ScheduleExecutor Executor => _executor;

    public ModelConfig Config => _model.Config;

    public IEnumerable<NamedParameter> Named => _model.Named;

    public IEnumerable<MixtureOfExperts> BiasedLayers => _model.ExpertLayers.Select(e => e.Layer).Where(e => !e.BiasTensor.IsEmpty);

    public IReadOnlyList<IExpertFigures> ExpertLayers => _experts;

    private Tensor Staging => _staging.View(0, DType.F32, new Shape(_staging.ByteLength / sizeof(float)));

    public bool Agree(bool yes)
    {
        Span<long> said = [yes ? 1 : 0];
        Groups.World.AllReduce(_backend, said);
        return said[0] > 0;
    }

    public void BeginStep()
    {
        foreach (var (_, layer) in _model.ExpertLayers) layer.BeginStep();
    }

    public long CountLabels(StepBatches batches)
    {
        int count = Layout.MicroBatchesOf(batches.Count);
        long labels = 0;
        for (int m = 0; m < count; m++) labels += batches.CountLabels(Number(m), _batch);
        return SumOverPeers(labels);
    }

    public void ForwardBackward(StepBatches batches, LossScales scales, BatchLosses losses)
    {
        int count = Layout.MicroBatchesOf(batches.Count);
        if (!_schedules.TryGetValue(count, out var schedule)) _schedules.Add(count, schedule = Schedule.Create(_kind, Layout.Pipeline, count));
        try
        {
            _executor.Run(schedule, (m, batch) => batches.Fill(Number(m), batch), _batch, scales, losses);
        }
        catch (Exception e) when (e is not CollectiveException)
        {
            // The others wait for what this rank will not send.
            Groups.World.Abort(e.Message);
            throw new CollectiveException($"Rank {Groups.World.Rank} ({Groups.Place}) cannot go on: {e.Message}", e);
        }

        LossMerge.Sum(Groups, _backend, losses);
        MergeLoads(layer => layer.Trained, (merged, load, reached) =>
        {
            load.CopyTo(merged.Load);
            reached.CopyTo(merged.TokensPerGroup);
        });
    }

    public double GradientNorm()
    {
        Span<double> sum = [0];
        foreach (var set in _model.Sets) sum[0] += set.Reduce(Staging);
        Groups.World.AllReduce(_backend, sum);
        return Math.Sqrt(sum[0]);
    }

    public void Update(int update, double learningRate, double norm)
    {
        var rates = AdamWOptimizer.Rates(_run.Optimizer, update, learningRate, norm);
        foreach (var set in _model.Sets) set.Step(rates);
    }

    public void UpdateBiases(double rate)
    {
        foreach (var (number, layer) in _model.ExpertLayers)
        {
            if (layer.BiasTensor.IsEmpty) continue;
            LoadBalance.UpdateBias(_experts[number].Load, (float)rate, layer.Bias);
            layer.WriteBias(_backend);
        }

        MergeBiases();
    }

    public void Discard()
    {
        foreach (var set in _model.Sets) set.Discard();
    }

    public long Evaluate(IBatchSource source, int microBatches, BatchLosses losses, Action firstSeen, CancellationToken cancellation)
    {
        foreach (var (_, layer) in _model.ExpertLayers) layer.Evaluated.Clear();
        int replicas = Layout.Replicas, rounds = (microBatches + replicas - 1) / replicas;
        long labels = 0;

        // All ranks that share experts take part in every round. Where micro-batches do not come out even, some see one of the last again and do not count it.
        var rest = new BatchLosses(losses.MtpSums.Length, losses.BalanceSums.Length);
        long[][]? before = null;
        _executor.Evaluate(new StageLayout(_kind, Layout.Pipeline), rounds, (m, batch) =>
        {
            bool counts = Number(m) < microBatches;
            if (!counts) before ??= [.. _model.ExpertLayers.Select(e => e.Layer.Evaluated.Load.ToArray())];
            source.Fill(0, Math.Min(Number(m), microBatches - 1), batch);
            labels += counts ? batch.CountedLabels : 0;
        }, _batch, m => Number(m) < microBatches ? losses : rest, m =>
        {
            if (m > 0) return;
            MergeChoices();
            firstSeen();
        });
        if (before is not null)
        {
            foreach (var ((_, layer), load) in _model.ExpertLayers.Zip(before)) load.CopyTo(layer.Evaluated.Load, 0);
        }

        cancellation.ThrowIfCancellationRequested();
        LossMerge.Sum(Groups, _backend, losses);
        MergeLoads(layer => layer.Evaluated, (merged, load, _) => load.CopyTo(merged.EvaluatedLoad));
        return SumOverPeers(labels);
    }

    public void Dispose()
    {
        Dispatch?.Dispose();
        _executor.Dispose();
        _model.Dispose();
        _staging.Dispose();
        _exchangeBackend?.Dispose();
        Groups.Dispose();
    }

    // Micro-batches are dealt out in turn.
    private int Number(int own) => own * Layout.Replicas + Groups.Place.Data * Layout.Experts + Groups.Place.Expert;

    private long SumOverPeers(long value)
    {
        Span<long> sum = [value];
        Groups.Peers.AllReduce(_backend, sum);
        return sum[0];
    }

    private delegate void TakeCounts(MergedExperts merged, ReadOnlySpan<long> load, ReadOnlySpan<long> reached);

    private delegate void WriteLayer(MixtureOfExperts layer, Span<long> values);

    private void MergeLoads(Func<MixtureOfExperts, RoutingCounts> countsOf, TakeCounts take)
    {
        int experts = Config.RoutedExperts, width = experts + Config.Groups;
        long[] all = OfAllLayers(width, overCopies: true, (layer, values) =>
        {
            countsOf(layer).Load.CopyTo(values);
            countsOf(layer).TokensPerGroup.CopyTo(values[experts..]);
        });
        for (int l = 0; l < _experts.Length; l++) take(_experts[l], all.AsSpan(l * width, experts), all.AsSpan(l * width + experts, Config.Groups));
    }

    /// <summary>Tells all ranks the biases of all layers, after they have changed.</summary>
    public void MergeBiases()
    {
        int experts = Config.RoutedExperts;
        long[] all = OfAllLayers(experts, overCopies: false, (layer, values) =>
        {
            for (int e = 0; e < experts; e++) values[e] = BitConverter.SingleToInt32Bits(layer.Bias[e]);
        });
        for (int l = 0; l < _experts.Length; l++)
        {
            for (int e = 0; e < experts; e++) _experts[l].Biases[e] = BitConverter.Int32BitsToSingle((int)all[l * experts + e]);
        }
    }

    private void MergeChoices()
    {
        int width = _run.MicroBatchSequences * _run.SequenceLength * Config.ExpertsPerToken;
        long[] all = OfAllLayers(width, overCopies: false, (layer, values) =>
        {
            var choices = layer.Evaluated.LastChoices;
            for (int i = 0; i < choices.Length; i++) values[i] = choices[i];
        });
        for (int l = 0; l < _experts.Length; l++) _experts[l].EvaluatedChoices = Array.ConvertAll(all[(l * width)..((l + 1) * width)], c => (int)c);
    }

    // Some numbers of every expert layer of the model, on all ranks of the pipeline: from this rank's copy of a layer, or summed over all copies.
    private long[] OfAllLayers(int width, bool overCopies, WriteLayer write)
    {
        var all = new long[_experts.Length * width];
        foreach (var (number, layer) in _model.ExpertLayers) write(layer, all.AsSpan(number * width, width));
        if (overCopies) Groups.Copies.AllReduce(_backend, all.AsSpan());

        // In DualPipe the mirrored rank has the same of its first stage.
        if (_kind == ScheduleKind.DualPipe)
        {
            foreach (int number in _model.Stages[1].ExpertLayerNumbers) Array.Clear(all, number * width, width);
        }

        Groups.Pipeline.AllReduce(_backend, all.AsSpan());
        return all;
    }

    /// <summary>The layout of a run, if it can be cut so.</summary>
    /// <exception cref="ConfigException">It cannot.</exception>
    public static ParallelLayout Check(RunConfig run, ModelConfig config, ParallelSettings settings, ScheduleKind kind, int ranks)
    {
        if (settings.Ranks != ranks)
            throw new ConfigException("run file", "parallel", $"parallel has pipeline {settings.Pipeline}, experts {settings.Experts} and data {settings.Data}, {settings.Ranks} ranks, but {ranks} were started");
        if (run.Freeze.Count > 0) throw new ConfigException("run file", "freeze", "freeze: parameters can be left alone by a run on one rank only; leave out parallel or freeze");
        if (BalancePolicy.Find(run.Balance) is { CountsBatch: true })
            throw new ConfigException("run file", "balance", $"balance is \"{run.Balance}\", whose loss counts the whole batch in one place; with parallel it has to be one that counts sequences, or bias");
        if (settings.Experts > 1) PlacementOf(config, settings);
        var layout = new ParallelLayout(kind, settings.Pipeline, settings.Data, settings.Experts);
        layout.LayersOfStages(config, settings.StageLayers);
        foreach (int size in new BatchSchedule(run).Sizes)
        {
            int own = layout.MicroBatchesOf(size);
            try
            {
                ScheduleRules.Check(kind, settings.Pipeline, own);
            }
            catch (ScheduleException e)
            {
                throw new ConfigException("run file", "parallel.schedule", $"a step of {size} micro-batches gives each rank {own}. {e.Message.TrimEnd('.')}");
            }
        }

        return layout;
    }

    private static ExpertPlacement PlacementOf(ModelConfig config, ParallelSettings settings) =>
        new(config.RoutedExperts, settings.Experts, settings.RanksPerNode == 0 ? settings.Experts : settings.RanksPerNode);
}
