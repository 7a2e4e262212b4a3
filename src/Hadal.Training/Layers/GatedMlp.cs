using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>down(silu(gate·x) ⊙ up·x): the dense MLP, and the shared experts taken as one.</summary>
internal sealed class GatedMlp(ParameterSet parameters, string prefix, int width, int inner)
{
    private readonly LinearLayer _gateUp = new(parameters, prefix + "gate_proj.weight", prefix + "up_proj.weight", inner, width);
    private readonly LinearLayer _down = new(parameters, prefix + "down_proj.weight", width, inner);

    private readonly SwiGluLayer _activation = new(inner);

    /// <summary>The output in temporary memory; no tensor while the layer is computed again, since nothing behind it needs one.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        var gateUp = _activation.Inputs(c, x.Rows);
        _gateUp.ForwardInto(c, x, gateUp);
        var activated = _activation.Forward(c, gateUp, default, s.Activation);
        return activated.IsEmpty ? default : _down.Forward(c, activated);
    }

    /// <summary>The gradient for the input.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        var dActivated = c.Matrix(dy.Rows, inner);
        _down.BackwardInputInto(c, dy, dActivated, accumulate: false, s.Down);
        return _gateUp.BackwardInput(c, _activation.BackwardInput(c, dActivated, default, s.Activation), s.GateUp);
    }

    /// <summary>The gradients for the weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept.</param>
    /// <param name="s">Behind <see cref="BackwardInput"/>.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State s)
    {
        _down.BackwardWeight(c, _activation.Output(c, s.Activation), s.Down);
        _gateUp.BackwardWeight(c, x, s.GateUp);
    }

    public sealed class State
    {
        public readonly LinearLayer.State GateUp = new(), Down = new();
        public readonly SwiGluLayer.State Activation = new();
    }
}
