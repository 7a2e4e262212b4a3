using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>down(silu(gate·x) ⊙ up·x): the dense MLP, and the shared experts taken as one.</summary>
internal sealed class GatedMlp(ParameterSet parameters, string prefix, int width, int inner)
{
    private readonly LinearLayer _gateUp = new(parameters, prefix + "gate_proj.weight", prefix + "up_proj.weight", inner, width);
    private readonly LinearLayer _down = new(parameters, prefix + "down_proj.weight", width, inner);

    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        s.GateUpValue = _gateUp.Forward(c, x, s.GateUp);
        var activated = c.Matrix(x.Rows, inner);
        c.Backend.SwiGlu(s.GateUpValue, default, activated);
        return _down.Forward(c, activated, s.Down);
    }

    /// <summary>The gradient for the input, in new memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        var dActivated = _down.BackwardInput(c, dy, s.Down);
        var dGateUp = c.Matrix(dy.Rows, 2L * inner);
        c.Backend.SwiGluBackward(s.GateUpValue, default, dActivated, dGateUp, default);
        return _gateUp.BackwardInput(c, dGateUp, s.GateUp);
    }

    public void BackwardWeight(MicroBatchContext c, State s)
    {
        _down.BackwardWeight(c, s.Down);
        _gateUp.BackwardWeight(c, s.GateUp);
    }

    public sealed class State
    {
        public readonly LinearLayer.State GateUp = new(), Down = new();
        public Tensor GateUpValue;
    }
}
