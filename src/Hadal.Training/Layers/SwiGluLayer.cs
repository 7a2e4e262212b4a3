using Hadal.Numerics;
using Hadal.Training.Activations;

namespace Hadal.Training.Layers;

/// <summary>y = g·silu(gate) ⊙ up, with a factor g per row or none: what is between the two products of every MLP.</summary>
internal sealed class SwiGluLayer(int inner)
{
    /// <summary>Memory for the inputs, gate beside up.</summary>
    public Tensor Inputs(MicroBatchContext c, int rows) => c.MatrixFor(c.Precision.Forms.GatedInput, rows, 2L * inner);

    /// <summary>The output; no tensor where the layer is computed again and nothing needs it.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="gateUp">Memory of <see cref="Inputs"/>.</param>
    /// <param name="rowScale">g; no tensor for 1.</param>
    /// <param name="s">For the backward.</param>
    public Tensor Forward(MicroBatchContext c, Tensor gateUp, Tensor rowScale, State s)
    {
        var forms = c.Precision.Forms;
        s.RowScale = rowScale;
        s.GateUp = KeptActivation.Of(c, gateUp, forms.GatedInput);

        // Not where the inputs are kept in fewer bits, as in the report, nor where the layer computes it again.
        bool isKept = forms.GatedInput is null && !c.Recomputes(RecomputedParts.SwiGlu);
        s.Output = default;
        if (c.IsRecomputing && !isKept) return default;
        var y = c.MatrixFor(forms.LinearInput, gateUp.Rows, inner, isKept);
        c.Backend.SwiGlu(gateUp, rowScale, y);
        s.Output = KeptActivation.Of(c, y, forms.LinearInput, isKept);
        return c.IsRecomputing ? default : y;
    }

    /// <summary>The gradient for the inputs, in memory of <see cref="MicroBatchContext.GradientMatrix"/>.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dy">The gradient for the output.</param>
    /// <param name="dRowScale">Gets the gradient for g; no tensor if there is none.</param>
    /// <param name="s">Of the forward.</param>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, Tensor dRowScale, State s)
    {
        var dGateUp = c.GradientMatrix(dy.Rows, 2L * inner);
        var restored = s.GateUp.Restore(c);
        s.Restored = c.DefersWeights ? default : restored;
        c.Backend.SwiGluBackward(restored, s.RowScale, dy, dGateUp, dRowScale);
        return dGateUp;
    }

    /// <summary>The output as the product behind it needs it for its weight gradient: as it was kept, or computed again. Behind <see cref="BackwardInput"/>.</summary>
    public Tensor Output(MicroBatchContext c, State s)
    {
        if (!s.Output.IsEmpty) return s.Output.Restore(c);
        var gateUp = s.Restored.IsEmpty ? s.GateUp.Restore(c) : s.Restored;
        var y = c.Matrix(gateUp.Rows, inner);
        c.Backend.SwiGlu(gateUp, s.RowScale, y);
        return y;
    }

    public sealed class State
    {
        public KeptActivation GateUp, Output;
        public Tensor RowScale, Restored;
    }
}
