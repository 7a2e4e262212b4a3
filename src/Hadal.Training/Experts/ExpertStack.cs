using Hadal.Numerics;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Experts;

/// <summary>The routed experts of a layer as two stacks of matrices: gate over up [E, 2·I, D] and down [E, D, I].</summary>
/// <remarks>
/// Rows come sorted by expert. The gate weight multiplies the activation before the down projection, as in the published training trace, so that combining
/// the experts of a token is a plain sum.
/// </remarks>
internal sealed class ExpertStack
{
    private readonly ParameterSet _parameters;
    private readonly int _gateUp, _down, _inner, _width;

    public ExpertStack(ParameterSet parameters, string prefix, int experts, int width, int inner)
    {
        (_parameters, _inner, _width) = (parameters, inner, width);
        _gateUp = parameters.DeclareRegion(new Shape(experts, 2L * inner, width));
        _down = parameters.DeclareRegion(new Shape(experts, width, inner));
        for (int e = 0; e < experts; e++)
        {
            parameters.Name($"{prefix}{e}.gate_proj.weight", _gateUp, 2L * inner * e, new Shape(inner, width));
            parameters.Name($"{prefix}{e}.up_proj.weight", _gateUp, 2L * inner * e + inner, new Shape(inner, width));
            parameters.Name($"{prefix}{e}.down_proj.weight", _down, (long)width * e, new Shape(width, inner));
        }
    }

    /// <summary>y[s] = g_s·FFN_e(x[s]) for the rows of each expert.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, Tensor offsets, Tensor gateWeights, State s)
    {
        (s.X, s.Offsets, s.GateWeights) = (x, offsets, gateWeights);
        s.GateUp = c.Matrix(x.Rows, 2L * _inner);
        var precision = c.Precision.Of(LinearRole.Block);
        precision.Forward(c.Backend, x, offsets, _parameters.Get(_gateUp).Weight, s.GateUp);
        s.Activated = c.Matrix(x.Rows, _inner);
        c.Backend.SwiGlu(s.GateUp, gateWeights, s.Activated);
        var y = c.Matrix(x.Rows, _width);
        precision.Forward(c.Backend, s.Activated, offsets, _parameters.Get(_down).Weight, y);
        return y;
    }

    /// <summary>The gradients for the rows and for the gate weights, in new memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s, out Tensor dGateWeights)
    {
        s.DY = dy;
        var dActivated = c.Matrix(dy.Rows, _inner);
        var precision = c.Precision.Of(LinearRole.Block);
        precision.InputGradient(c.Backend, dy, s.Offsets, _parameters.Get(_down).Weight, dActivated);
        s.DGateUp = c.Matrix(dy.Rows, 2L * _inner);
        dGateWeights = c.Vector(dy.Rows);
        c.Backend.SwiGluBackward(s.GateUp, s.GateWeights, dActivated, s.DGateUp, dGateWeights);
        var dx = c.Matrix(dy.Rows, _width);
        precision.InputGradient(c.Backend, s.DGateUp, s.Offsets, _parameters.Get(_gateUp).Weight, dx);
        return dx;
    }

    public void BackwardWeight(MicroBatchContext c, State s)
    {
        var precision = c.Precision.Of(LinearRole.Block);
        precision.WeightGradient(c.Backend, s.DY, s.Activated, s.Offsets, _parameters.Get(_down).Gradient);
        precision.WeightGradient(c.Backend, s.DGateUp, s.X, s.Offsets, _parameters.Get(_gateUp).Gradient);
    }

    public sealed class State
    {
        public Tensor X, Offsets, GateWeights, GateUp, Activated, DY, DGateUp;
    }
}
