using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Balance;
using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Model;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;

namespace Hadal.Training.Runs;

/// <summary>Trains a whole model in this process, one micro-batch after the other.</summary>
internal sealed class LocalEngine : ITrainingEngine
{
    private readonly IBackend _backend;
    private readonly AdamWOptimizer _optimizer;
    private readonly FrozenParameters _frozen;
    private readonly PackedBatch _batch;

    /// <param name="run">A valid run.</param>
    /// <param name="config">Its model.</param>
    /// <param name="backend">Where to compute; not owned.</param>
    /// <exception cref="ConfigException">The model cannot be trained so.</exception>
    public LocalEngine(RunConfig run, ModelConfig config, IBackend backend)
    {
        _backend = backend;
        Model = new TrainingModel(backend, config, run.SequenceLength, Trainer.OptionsOf(run));
        WeightInitializer.Initialize(backend, Model.Parameters.Named, run.Seed, config.InitializerRange);
        var policy = BalancePolicy.Find(run.Balance)!;
        foreach (var experts in Model.ExpertLayers) experts.Balance(backend, policy);
        _frozen = new FrozenParameters(Model, run.Freeze);
        _optimizer = new AdamWOptimizer(backend, Model.Parameters, run.Optimizer, _frozen);
        _batch = new PackedBatch(run.MicroBatchSequences, run.SequenceLength);
    }

    public TrainingModel Model { get; }

    public IReadOnlyList<IExpertFigures> ExpertLayers => Model.ExpertLayers;

    public bool Agree(bool yes) => yes;

    public void BeginStep()
    {
        foreach (var experts in Model.ExpertLayers) experts.BeginStep();
    }

    public long CountLabels(StepBatches batches)
    {
        long labels = 0;
        for (int m = 0; m < batches.Count; m++) labels += batches.CountLabels(m, _batch);
        return labels;
    }

    public void ForwardBackward(StepBatches batches, LossScales scales, BatchLosses losses)
    {
        for (int m = 0; m < batches.Count; m++)
        {
            batches.Fill(m, _batch);
            Model.ForwardBackward(_batch, scales, losses);
        }
    }

    public double GradientNorm() => _optimizer.Norm();

    public void Update(int update, double learningRate, double norm) => _optimizer.Step(update, learningRate, norm);

    public void Discard() => _optimizer.Discard();

    public void UpdateBiases(double rate)
    {
        foreach (var experts in Model.BiasedLayers)
        {
            if (_frozen.Contains(experts.BiasName)) continue;
            LoadBalance.UpdateBias(experts.Load, (float)rate, experts.Bias);
            experts.WriteBias(_backend);
        }
    }

    public long Evaluate(IBatchSource source, int microBatches, BatchLosses losses, Action firstSeen, CancellationToken cancellation)
    {
        foreach (var layer in Model.ExpertLayers) layer.Evaluated.Clear();
        long labels = 0;
        for (int m = 0; m < microBatches; m++)
        {
            cancellation.ThrowIfCancellationRequested();
            source.Fill(0, m, _batch);
            labels += _batch.CountedLabels;
            Model.Evaluate(_batch, losses);
            if (m == 0) firstSeen();
        }

        return labels;
    }

    public void Dispose() => Model.Dispose();
}
