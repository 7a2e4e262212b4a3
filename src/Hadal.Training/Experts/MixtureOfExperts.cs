using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;
using Hadal.Training.Balance;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Experts;

/// <summary>DeepSeekMoE (report section 2.1.2): shared experts, and routed experts chosen by affinity and correction bias. No token is dropped.</summary>
/// <remarks>Legend: T rows, E experts, C chosen per token, S = T·C slots sorted by expert.</remarks>
internal sealed class MixtureOfExperts : IDisposable
{
    private readonly ModelConfig _config;
    private readonly RoutingRule _rule;
    private readonly LinearLayer _router;
    private readonly ExpertStack _experts;
    private readonly GatedMlp? _shared;
    private readonly Storage? _biasStorage;
    private readonly float[] _bias;
    private IBalanceLoss _balance = new SequenceBalanceLoss();

    public MixtureOfExperts(IBackend backend, ParameterSet parameters, ModelConfig config, string prefix)
    {
        _config = config;
        _rule = config.Router.ToRoutingRule();
        _router = new LinearLayer(parameters, prefix + "gate.weight", config.RoutedExperts, config.HiddenSize, LinearRole.Router);
        _experts = new ExpertStack(parameters, prefix + "experts.", config.RoutedExperts, config.HiddenSize, config.ExpertWidth);
        if (config.SharedExperts > 0) _shared = new GatedMlp(parameters, prefix + "shared_experts.", config.HiddenSize, config.SharedWidth);
        _bias = new float[config.RoutedExperts];
        Trained = new RoutingCounts(config.RoutedExperts, config.Groups);
        Evaluated = new RoutingCounts(config.RoutedExperts, config.Groups);
        BiasName = prefix + "gate.e_score_correction_bias";
        if (!config.Router.HasBias) return;
        _biasStorage = backend.CreateStorage((long)config.RoutedExperts * sizeof(float));
        BiasTensor = _biasStorage.View(0, DType.F32, new Shape(config.RoutedExperts));
    }

    /// <summary>Where training sent its tokens since the step began: over the whole global batch.</summary>
    public RoutingCounts Trained { get; }

    /// <summary>Where evaluations sent theirs; whoever evaluates clears it.</summary>
    public RoutingCounts Evaluated { get; }

    /// <summary>Tokens routed to each expert in this step.</summary>
    public long[] Load => Trained.Load;

    /// <summary>Experts chosen per token.</summary>
    public int Chosen => _config.ExpertsPerToken;

    /// <summary>Checkpoint name of the correction bias.</summary>
    public string BiasName { get; }

    /// <summary>[E], on the device; no tensor if the model has none.</summary>
    public Tensor BiasTensor { get; }

    /// <summary>Host copy of the correction bias; call <see cref="WriteBias"/> after changing it.</summary>
    public Span<float> Bias => _bias;

    /// <summary>Takes the auxiliary loss of a policy instead of the sequence-wise one.</summary>
    public void Balance(IBackend backend, BalancePolicy policy)
    {
        _balance.Dispose();
        _balance = policy.CreateLoss(backend, _config.RoutedExperts);
    }

    /// <summary>Forgets the counts of the step before.</summary>
    public void BeginStep()
    {
        Trained.Clear();
        _balance.BeginStep();
    }

    /// <summary>Brings the host copy of the bias to the device.</summary>
    public void WriteBias(IBackend backend)
    {
        if (!BiasTensor.IsEmpty) backend.Write(_bias, BiasTensor);
    }

    /// <summary>The output in temporary memory; no tensor while the layer is computed again.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        int rows = x.Rows, experts = _config.RoutedExperts, chosen = _config.ExpertsPerToken;
        var logits = _router.Forward(c, x);
        s.Scores = c.KeptMatrix(rows, experts);
        s.Experts = c.KeptIntegers((long)rows * chosen).Reshape(new Shape(rows, chosen));
        var weights = c.Matrix(rows, chosen);
        c.Backend.Route(logits, BiasTensor, _rule, s.Scores, s.Experts.Reshape(new Shape((long)rows * chosen)), weights);

        // Outlives the first forward of a layer that is computed again.
        s.BalanceLoss = c.Arena.Allocate(DType.F32, new Shape(rows / c.SequenceLength));
        s.DScores = c.KeptMatrix(rows, experts);
        _balance.Run(c, s.Scores, chosen, s.BalanceLoss, s.DScores);

        int slots = rows * chosen;
        var offsets = c.KeptIntegers(experts + 1);
        s.Slots = c.KeptIntegers(slots);
        s.Rows = c.KeptIntegers(slots);
        c.Backend.SortByExpert(s.Experts.Reshape(new Shape(slots)), offsets, s.Slots, s.Rows);
        if (!c.IsRecomputing) (c.CountsLoad ? Trained : Evaluated).Add(c.Backend, s.Experts);

        var sortedWeights = c.KeptMatrix(slots, 1);
        c.Backend.GatherRows(weights.Reshape(new Shape(slots, 1)), s.Slots, 1, sortedWeights);
        var routed = _experts.Forward(c, Sorted(c, x, s), offsets, sortedWeights.Reshape(new Shape(slots)), s.Stack);
        var y = _shared is null ? default : _shared.Forward(c, x, s.Shared);
        if (c.IsRecomputing) return default;
        if (_shared is null) y = c.Matrix(rows, x.Columns);
        c.Backend.CombineRows(routed, s.Rows, y, accumulate: _shared is not null);
        return y;
    }

    /// <summary>The gradient for the (normed) input, in temporary memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        int rows = dy.Rows, chosen = _config.ExpertsPerToken, slots = rows * chosen;
        var dSorted = _experts.BackwardInput(c, Sorted(c, dy, s), s.Stack, out var dSortedWeights);
        var dWeights = c.Matrix(slots, 1);
        c.Backend.GatherRows(dSortedWeights.Reshape(new Shape(slots, 1)), s.Rows, 1, dWeights);
        var dLogits = c.Matrix(rows, _config.RoutedExperts);
        c.Backend.RouteBackward(
            s.Scores, s.Experts.Reshape(new Shape(slots)), dWeights.Reshape(new Shape(rows, chosen)), s.DScores, _rule, dLogits);

        var dx = _router.BackwardInput(c, dLogits, s.Router);
        c.Backend.CombineRows(dSorted, s.Rows, dx, accumulate: true);
        if (_shared is not null) c.Backend.Add(_shared.BackwardInput(c, dy, s.Shared), dx);
        return dx;
    }

    /// <summary>The gradients for the weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept: rows are sent to their experts a second time rather than kept once per expert.</param>
    /// <param name="s">Behind <see cref="BackwardInput"/>.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State s)
    {
        _router.BackwardWeight(c, x, s.Router);
        _experts.BackwardWeight(c, Sorted(c, x, s), s.Stack);
        _shared?.BackwardWeight(c, x, s.Shared);
    }

    public void Dispose()
    {
        _balance.Dispose();
        _biasStorage?.Dispose();
    }

    // [T, D] to [S, D], in temporary memory.
    private Tensor Sorted(MicroBatchContext c, Tensor x, State s)
    {
        var sorted = c.Matrix(s.Slots.Count, x.Columns);
        c.Backend.GatherRows(x, s.Slots, _config.ExpertsPerToken, sorted);
        return sorted;
    }

    public sealed class State
    {
        public readonly LinearLayer.State Router = new();
        public readonly ExpertStack.State Stack = new();
        public readonly GatedMlp.State Shared = new();

        /// <summary>[B]: Σ f·P of each sequence, unweighted.</summary>
        public Tensor BalanceLoss;
        public Tensor Scores, DScores, Experts, Slots, Rows;
    }
}
