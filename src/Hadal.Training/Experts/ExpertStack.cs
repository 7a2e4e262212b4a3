using Hadal.Numerics;
using Hadal.Training.Activations;
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

    /// <summary>y[s] = g_s·FFN_e(x[s]) for the rows of each expert, in temporary memory; no tensor while the layer is computed again.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, Tensor offsets, Tensor gateWeights, State s)
    {
        (s.Offsets, s.GateWeights) = (offsets, gateWeights);
        var forms = c.Precision.Forms;
        var gateUp = c.MatrixFor(forms.GatedInput, x.Rows, 2L * _inner);
        c.Precision.Of(LinearRole.ExpertUp).Forward(c.Backend, x, offsets, _parameters.Get(_gateUp).Weight, gateUp);
        s.GateUp = KeptActivation.Of(c, gateUp, forms.GatedInput);
        bool isKept = c.KeepsActivatedUnits;
        if (c.IsRecomputing && !isKept) return default;
        var activated = c.MatrixFor(forms.LinearInput, x.Rows, _inner, isKept);
        c.Backend.SwiGlu(gateUp, gateWeights, activated);
        s.Activated = KeptActivation.Of(c, activated, forms.LinearInput, isKept);
        if (c.IsRecomputing) return default;
        var y = c.Matrix(x.Rows, _width);
        c.Precision.Of(LinearRole.ExpertDown).Forward(c.Backend, activated, offsets, _parameters.Get(_down).Weight, y);
        return y;
    }

    /// <summary>The gradients for the rows and for the gate weights, in temporary memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s, out Tensor dGateWeights)
    {
        s.DY = dy;
        var dActivated = c.Matrix(dy.Rows, _inner);
        c.Precision.Of(LinearRole.ExpertDown).InputGradient(c.Backend, dy, s.Offsets, _parameters.Get(_down).Weight, dActivated);
        s.DGateUp = c.Matrix(dy.Rows, 2L * _inner);
        dGateWeights = c.Vector(dy.Rows);
        s.Restored = s.GateUp.Restore(c);
        c.Backend.SwiGluBackward(s.Restored, s.GateWeights, dActivated, s.DGateUp, dGateWeights);
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
        c.Precision.Of(LinearRole.ExpertDown).WeightGradient(c.Backend, s.DY, Activated(c, s), s.Offsets, _parameters.Get(_down).Gradient);
        c.Precision.Of(LinearRole.ExpertUp).WeightGradient(c.Backend, s.DGateUp, x, s.Offsets, _parameters.Get(_gateUp).Gradient);
    }

    private Tensor Activated(MicroBatchContext c, State s)
    {
        if (!s.Activated.IsEmpty) return s.Activated.Restore(c);
        var activated = c.Matrix(s.Restored.Rows, _inner);
        c.Backend.SwiGlu(s.Restored, s.GateWeights, activated);
        return activated;
    }

    public sealed class State
    {
        public KeptActivation GateUp, Activated;
        public Tensor Offsets, GateWeights, Restored, DY, DGateUp;
    }
}
