using Hadal.Numerics;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Experts;

/// <summary>The routed experts of a layer as two stacks of matrices: gate over up [E, 2·I, D] and down [E, D, I].</summary>
/// <remarks>
/// They may be some of a layer's experts, those that live here. Rows come sorted by expert. The gate weight multiplies the activation before the down projection, as in the published training trace, so that combining
/// the experts of a token is a plain sum.
/// </remarks>
internal sealed class ExpertStack
{
    private readonly ParameterSet _parameters;
    private readonly int _gateUp, _down, _inner, _width;
    private readonly SwiGluLayer _activation;

    /// <param name="parameters">Where the weights live.</param>
    /// <param name="prefix">What a checkpoint puts before an expert's number.</param>
    /// <param name="first">Number of the first expert.</param>
    /// <param name="experts">How many.</param>
    /// <param name="width">D.</param>
    /// <param name="inner">I.</param>
    public ExpertStack(ParameterSet parameters, string prefix, int first, int experts, int width, int inner)
    {
        (_parameters, _inner, _width, _activation) = (parameters, inner, width, new SwiGluLayer(inner));
        _gateUp = parameters.DeclareRegion(new Shape(experts, 2L * inner, width));
        _down = parameters.DeclareRegion(new Shape(experts, width, inner));
        for (int e = 0; e < experts; e++)
        {
            parameters.Name($"{prefix}{first + e}.gate_proj.weight", _gateUp, 2L * inner * e, new Shape(inner, width));
            parameters.Name($"{prefix}{first + e}.up_proj.weight", _gateUp, 2L * inner * e + inner, new Shape(inner, width));
            parameters.Name($"{prefix}{first + e}.down_proj.weight", _down, (long)width * e, new Shape(width, inner));
        }
    }

    /// <summary>y[s] = g_s·FFN_e(x[s]) for the rows of each expert, in temporary memory; no tensor while the layer is computed again.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, Tensor offsets, Tensor gateWeights, State s)
    {
        s.Offsets = offsets;
        var gateUp = _activation.Inputs(c, x.Rows);
        c.Precision.Of(LinearRole.ExpertUp).Forward(c.Backend, x, offsets, _parameters.Get(_gateUp).Weight, gateUp);
        var activated = _activation.Forward(c, gateUp, gateWeights, s.Activation);
        if (activated.IsEmpty) return default;
        var y = c.Matrix(x.Rows, _width);
        c.Precision.Of(LinearRole.ExpertDown).Forward(c.Backend, activated, offsets, _parameters.Get(_down).Weight, y);
        return y;
    }

    /// <summary>The gradients for the rows and for the gate weights, in temporary memory.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dy">In memory of <see cref="MicroBatchContext.GradientMatrix"/>.</param>
    /// <param name="s">Of the forward.</param>
    /// <param name="dGateWeights">[rows].</param>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s, out Tensor dGateWeights)
    {
        s.DY = dy;
        var dActivated = c.Matrix(dy.Rows, _inner);
        c.Precision.Of(LinearRole.ExpertDown).InputGradient(c.Backend, dy, s.Offsets, _parameters.Get(_down).Weight, dActivated);
        dGateWeights = c.Vector(dy.Rows);
        s.DGateUp = _activation.BackwardInput(c, dActivated, dGateWeights, s.Activation);
        var dx = c.Matrix(dy.Rows, _width);
        c.Precision.Of(LinearRole.ExpertUp).InputGradient(c.Backend, s.DGateUp, s.Offsets, _parameters.Get(_gateUp).Weight, dx);
        return dx;
    }

    /// <summary>The gradients for the weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The rows, as they were kept.</param>
    /// <param name="s">Behind <see cref="BackwardInput"/>.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State s)
    {
        c.Precision.Of(LinearRole.ExpertDown).WeightGradient(c.Backend, s.DY, _activation.Output(c, s.Activation), s.Offsets, _parameters.Get(_down).Gradient);
        c.Precision.Of(LinearRole.ExpertUp).WeightGradient(c.Backend, s.DGateUp, x, s.Offsets, _parameters.Get(_gateUp).Gradient);
    }

    public sealed class State
    {
        public readonly SwiGluLayer.State Activation = new();
        public Tensor Offsets, DY, DGateUp;
    }
}
