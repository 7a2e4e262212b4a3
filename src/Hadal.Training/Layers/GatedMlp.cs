using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>down(silu(gate·x) ⊙ up·x): the dense MLP, and the shared experts taken as one.</summary>
internal sealed class GatedMlp(ParameterSet parameters, string prefix, int width, int inner)
{
    private readonly LinearLayer _gateUp = new(parameters, prefix + "gate_proj.weight", prefix + "up_proj.weight", inner, width);
    private readonly LinearLayer _down = new(parameters, prefix + "down_proj.weight", width, inner);

    /// <summary>The output in temporary memory; no tensor while the layer is computed again, since nothing behind it needs one.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor x, State s)
    {
        var forms = c.Precision.Forms;
        var gateUp = c.MatrixFor(forms.GatedInput, x.Rows, 2L * inner);
        _gateUp.ForwardInto(c, x, gateUp);
        s.GateUpValue = KeptActivation.Of(c, gateUp, forms.GatedInput);
        bool isKept = c.KeepsActivatedUnits;
        if (c.IsRecomputing && !isKept) return default;
        var activated = c.MatrixFor(forms.LinearInput, x.Rows, inner, isKept);
        c.Backend.SwiGlu(gateUp, default, activated);
        s.Activated = KeptActivation.Of(c, activated, forms.LinearInput, isKept);
        return c.IsRecomputing ? default : _down.Forward(c, activated);
    }

    /// <summary>The gradient for the input, in temporary memory.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State s)
    {
        var dActivated = _down.BackwardInput(c, dy, s.Down);
        var dGateUp = c.Matrix(dy.Rows, 2L * inner);
        s.Restored = s.GateUpValue.Restore(c);
        c.Backend.SwiGluBackward(s.Restored, default, dActivated, dGateUp, default);
        return _gateUp.BackwardInput(c, dGateUp, s.GateUp);
    }

    /// <summary>The gradients for the weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input, as it was kept.</param>
    /// <param name="s">Behind <see cref="BackwardInput"/>.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State s)
    {
        _down.BackwardWeight(c, Activated(c, s), s.Down);
        _gateUp.BackwardWeight(c, x, s.GateUp);
    }

    private Tensor Activated(MicroBatchContext c, State s)
    {
        if (!s.Activated.IsEmpty) return s.Activated.Restore(c);
        var activated = c.Matrix(s.Restored.Rows, inner);
        c.Backend.SwiGlu(s.Restored, default, activated);
        return activated;
    }

    public sealed class State
    {
        public readonly LinearLayer.State GateUp = new(), Down = new();
        public KeptActivation GateUpValue, Activated;
        public Tensor Restored;
    }
}
