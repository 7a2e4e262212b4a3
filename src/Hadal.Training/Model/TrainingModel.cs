using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;

namespace Hadal.Training.Model;

/// <summary>The whole model with its gradients in one place: one stage, one micro-batch at a time.</summary>
/// <remarks>
/// One call of <see cref="ForwardBackward"/> takes one micro-batch through forward and backward and adds to the gradients. What the backward needs lives in one arena that
/// is reset at the next call; temporaries live in another, each layer's forward or backward on top of what was there before.
/// </remarks>
internal sealed class TrainingModel : IModelWeights, IDisposable
{
    private readonly Arena _scratch;
    private readonly RotaryTensors _rotary;
    private readonly ModelStage _stage;
    private readonly StageState _state;
    private readonly ForwardPass _forward;
    private readonly BackwardPass _backward;

    /// <param name="backend">Where to compute; not owned.</param>
    /// <param name="config">A valid configuration.</param>
    /// <param name="longest">Tokens of the longest sequence.</param>
    /// <param name="options">How it is trained; null for everything in FP32.</param>
    /// <exception cref="ConfigException">The configuration cannot be trained.</exception>
    public TrainingModel(IBackend backend, ModelConfig config, int longest, TrainingOptions? options = null)
    {
        options ??= new TrainingOptions();
        options.Check(config);
        Config = config;
        Parameters = new ParameterSet(backend);
        _scratch = new Arena(backend);
        _rotary = new RotaryTensors(backend, config, longest);
        _stage = new ModelStage(
            backend, new StageParameters(Parameters), config, StagePart.Whole(config), options, new EmbeddingLayer(Parameters, config.VocabularySize, config.HiddenSize), _rotary);
        Parameters.Commit(options.Moments);
        _state = _stage.CreateState(_scratch);
        (_forward, _backward) = (new ForwardPass(_stage), new BackwardPass(_stage));
    }

    public ModelConfig Config { get; }

    public ParameterSet Parameters { get; }

    public IEnumerable<NamedParameter> Named => Parameters.Named;

    /// <summary>Expert layers of the main model in order, then those of the MTP modules.</summary>
    public IReadOnlyList<MixtureOfExperts> ExpertLayers => _stage.ExpertLayers;

    /// <summary>The most bytes that a micro-batch has kept for its backward.</summary>
    public long KeptBytes => _state.Arena.PeakBytes;

    /// <summary>The most bytes that were temporary at a time.</summary>
    public long TemporaryBytes => _scratch.PeakBytes;

    /// <summary>Those of them that have router biases.</summary>
    public IEnumerable<MixtureOfExperts> BiasedLayers => ExpertLayers.Where(e => !e.BiasTensor.IsEmpty);

    public BatchLosses CreateLosses() => ModelStage.CreateLosses(Config);

    /// <summary>Adds a micro-batch's gradients to the parameters' and its losses to the sums.</summary>
    public void ForwardBackward(PackedBatch batch, LossScales scales, BatchLosses losses)
    {
        Forward(batch, scales, losses, isTraining: true);
        _backward.Run(_state, _scratch, defersWeights: false);
    }

    /// <summary>Adds a micro-batch's losses to the sums; gradients and loads stay as they are.</summary>
    public void Evaluate(PackedBatch batch, BatchLosses losses) => Forward(batch, new LossScales(1, 1, 0, 0), losses, isTraining: false);

    public void Dispose()
    {
        Parameters.Dispose();
        foreach (var layer in ExpertLayers) layer.Dispose();
        _state.Dispose();
        _scratch.Dispose();
        _rotary.Dispose();
    }

    private void Forward(PackedBatch batch, LossScales scales, BatchLosses losses, bool isTraining)
    {
        _scratch.Reset();
        _state.Prepare(batch, scales.BalanceWeight / scales.Sequences, isTraining, Config.HiddenSize);
        _forward.Run(_state, _scratch, scales, losses);
    }
}
