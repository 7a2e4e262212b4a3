using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Model;

namespace Hadal.Training.Runs;

/// <summary>What a <see cref="Trainer"/> drives: weights, gradients and optimizer, in this process alone, or over many ranks as one of them sees them.</summary>
/// <remarks>Every rank drives its own in the same way, and gets the same losses, norms and loads of the whole job.</remarks>
internal interface ITrainingEngine : IDisposable
{
    /// <summary>Expert layers of the whole model in order, then those of the MTP modules.</summary>
    IReadOnlyList<IExpertFigures> ExpertLayers { get; }

    /// <summary>Makes all ranks decide alike: whether any of them says yes.</summary>
    bool Agree(bool yes);

    /// <summary>Called before the first micro-batch of a step.</summary>
    void BeginStep();

    /// <summary>Labels that count in a step.</summary>
    long CountLabels(StepBatches batches);

    /// <summary>Takes all micro-batches of a step through forward and backward.</summary>
    /// <param name="batches">Of all ranks.</param>
    /// <param name="scales">Of the step.</param>
    /// <param name="losses">Cleared; receives those of all ranks.</param>
    void ForwardBackward(StepBatches batches, LossScales scales, BatchLosses losses);

    /// <summary>The global norm of the gradients of what is trained, before clipping.</summary>
    double GradientNorm();

    /// <summary>Clips, and updates weights and moments.</summary>
    /// <param name="update">Updates so far, this one included.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="norm">What <see cref="GradientNorm"/> gave.</param>
    void Update(int update, double learningRate, double norm);

    /// <summary>Moves the router biases by the loads of the step.</summary>
    void UpdateBiases(double rate);

    /// <summary>Throws the gradients away.</summary>
    void Discard();

    /// <summary>Losses of validation sequences.</summary>
    /// <param name="source">Filled with step 0.</param>
    /// <param name="microBatches">How many to look at, over all ranks.</param>
    /// <param name="losses">Receives those of all ranks.</param>
    /// <param name="firstSeen">Called behind the first micro-batch.</param>
    /// <param name="cancellation">Stops between micro-batches.</param>
    /// <returns>Labels that counted.</returns>
    long Evaluate(IBatchSource source, int microBatches, BatchLosses losses, Action firstSeen, CancellationToken cancellation);
}
