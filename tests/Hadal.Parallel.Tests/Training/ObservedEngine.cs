using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Model;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>An engine that is looked at before every update, when gradients are summed and not yet used.</summary>
internal sealed class ObservedEngine(ITrainingEngine engine, Action beforeUpdate) : ITrainingEngine
{
    public IReadOnlyList<IExpertFigures> ExpertLayers => engine.ExpertLayers;

    public bool Agree(bool yes) => engine.Agree(yes);

    public void BeginStep() => engine.BeginStep();

    public long CountLabels(StepBatches batches) => engine.CountLabels(batches);

    public void ForwardBackward(StepBatches batches, LossScales scales, BatchLosses losses) => engine.ForwardBackward(batches, scales, losses);

    public double GradientNorm() => engine.GradientNorm();

    public void Update(int update, double learningRate, double norm)
    {
        beforeUpdate();
        engine.Update(update, learningRate, norm);
    }

    public void UpdateBiases(double rate) => engine.UpdateBiases(rate);

    public void Discard() => engine.Discard();

    public long Evaluate(IBatchSource source, int microBatches, BatchLosses losses, Action firstSeen, CancellationToken cancellation) =>
        engine.Evaluate(source, microBatches, losses, firstSeen, cancellation);

    public void Dispose() => engine.Dispose();
}
