using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;
using Hadal.Training.Balance;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Experts;

/// <summary>DeepSeekMoE (report section 2.1.2): shared experts, and routed experts chosen by affinity and correction bias. No token is dropped.</summary>
/// <remarks>
/// Legend: T rows, E experts, C chosen per token. The experts themselves may live on several ranks: an <see cref="IExpertExchange"/> carries rows to them and back. Forward and
/// backward come in parts, between which rows travel, so that a schedule can compute something else meanwhile.
/// </remarks>
internal sealed class MixtureOfExperts : IExpertFigures, IDisposable
{
    private readonly ModelConfig _config;
    private readonly RoutingRule _rule;
    private readonly LinearLayer _router;
    private readonly IExpertExchange _exchange;
    private readonly ExpertStack _experts;
    private readonly GatedMlp? _shared;
    private readonly Storage? _biasStorage;
    private readonly float[] _bias;
    private IBalanceLoss _balance = new SequenceBalanceLoss();

    public MixtureOfExperts(IBackend backend, StageParameters parameters, ModelConfig config, string prefix, IExpertExchange exchange)
    {
        (_config, _exchange) = (config, exchange);
        _rule = config.Router.ToRoutingRule();
        _router = new LinearLayer(parameters.Dense, prefix + "gate.weight", config.RoutedExperts, config.HiddenSize, LinearRole.Router);
        _experts = new ExpertStack(parameters.Experts, prefix + "experts.", exchange.FirstExpert, exchange.Experts, config.HiddenSize, config.ExpertWidth);
        if (config.SharedExperts > 0) _shared = new GatedMlp(parameters.Dense, prefix + "shared_experts.", config.HiddenSize, config.SharedWidth);
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

    ReadOnlySpan<long> IExpertFigures.Load => Trained.Load;

    ReadOnlySpan<long> IExpertFigures.TokensPerGroup => Trained.TokensPerGroup;

    ReadOnlySpan<float> IExpertFigures.Biases => _bias;

    ReadOnlySpan<long> IExpertFigures.EvaluatedLoad => Evaluated.Load;

    ReadOnlySpan<int> IExpertFigures.EvaluatedChoices => Evaluated.LastChoices;

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
        BeginForward(c, x, s);
        RunExperts(c, x, s);
        return EndForward(c, x, s);
    }

    /// <summary>First part of the forward: chooses the experts and begins to send the rows to them.</summary>
    public void BeginForward(MicroBatchContext c, Tensor x, State s)
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
        if (!c.IsRecomputing) (c.CountsLoad ? Trained : Evaluated).Add(c.Backend, s.Experts);
        s.Exchange ??= _exchange.CreateState();
        _exchange.BeginDispatch(c, x, s.Experts, weights, s.Exchange);
    }

    /// <summary>Second part: the shared experts while rows travel, then those that live here for the rows that arrived; begins to send the results back.</summary>
    public void RunExperts(MicroBatchContext c, Tensor x, State s)
    {
        s.Output = _shared is null ? default : _shared.Forward(c, x, s.Shared);
        var (rows, offsets, weights) = _exchange.EndDispatch(c, s.Exchange!);
        var y = _experts.Forward(c, rows, offsets, weights, s.Stack);
        if (!c.IsRecomputing) _exchange.BeginCombine(c, y, s.Exchange!);
    }

    /// <summary>Last part: the output in temporary memory; no tensor while the layer is computed again.</summary>
    public Tensor EndForward(MicroBatchContext c, Tensor x, State s)
    {
        if (c.IsRecomputing) return default;
        if (_shared is null) s.Output = c.Matrix(x.Rows, x.Columns);
        _exchange.EndCombine(c, s.Output, accumulate: _shared is not null, s.Exchange!);
        return s.Output;
    }

    /// <summary>First part of the backward: begins to send the gradients of the output to the experts.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dy">In memory of <see cref="MicroBatchContext.GradientMatrix"/>.</param>
    /// <param name="s">Of the forward.</param>
    public void BeginBackward(MicroBatchContext c, Tensor dy, State s)
    {
        s.DY = dy;
        _exchange.BeginGradientDispatch(c, dy, s.Exchange!);
    }

    /// <summary>Second part: gradients for the inputs of shared and routed experts; begins to send the latter back.</summary>
    public void BackwardExperts(MicroBatchContext c, State s)
    {
        s.DShared = _shared is null ? default : _shared.BackwardInput(c, s.DY, s.Shared);
        var dx = _experts.BackwardInput(c, _exchange.EndGradientDispatch(c, s.Exchange!), s.Stack, out var dWeights);
        _exchange.BeginGradientCombine(c, dx, dWeights, s.Exchange!);
    }

    /// <summary>Last part: the gradient for the (normed) input, in memory of <see cref="MicroBatchContext.GradientMatrix"/>.</summary>
    public Tensor EndBackward(MicroBatchContext c, State s)
    {
        int rows = s.DY.Rows, chosen = _config.ExpertsPerToken;
        var dWeights = c.Matrix(rows, chosen);
        _exchange.EndGradientCombine(c, dWeights, s.Exchange!);
        var dLogits = c.GradientMatrix(rows, _config.RoutedExperts);
        c.Backend.RouteBackward(s.Scores, s.Experts.Reshape(new Shape((long)rows * chosen)), dWeights, s.DScores, _rule, dLogits);
        var dx = _router.BackwardInput(c, dLogits, s.Router);
        _exchange.AddGradient(c, dx, s.Exchange!);
        if (_shared is not null) c.Backend.Add(s.DShared, dx);
        return dx;
    }

    /// <summary>The gradients for the weights of routed and shared experts. Behind <see cref="BackwardExperts"/>.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept.</param>
    /// <param name="s">Of the backward.</param>
    public void ExpertWeights(MicroBatchContext c, Tensor x, State s)
    {
        _experts.BackwardWeight(c, _exchange.Rows(c, x, s.Exchange!), s.Stack);
        _shared?.BackwardWeight(c, x, s.Shared);
    }

    /// <summary>The gradient for the router. Behind <see cref="EndBackward"/>.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept.</param>
    /// <param name="s">Of the backward.</param>
    public void RouterWeight(MicroBatchContext c, Tensor x, State s) => _router.BackwardWeight(c, x, s.Router);

    public void Dispose()
    {
        _balance.Dispose();
        _biasStorage?.Dispose();
    }

    public sealed class State
    {
        public readonly LinearLayer.State Router = new();
        public readonly ExpertStack.State Stack = new();
        public readonly GatedMlp.State Shared = new();

        /// <summary>[B]: Σ f·P of each sequence, unweighted.</summary>
        public Tensor BalanceLoss;
        public Tensor Scores, DScores, Experts, Output, DY, DShared;

        /// <summary>Where the rows went.</summary>
        public ExpertExchangeState? Exchange;
    }
}
