using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>y = w ⊙ x / sqrt(mean(x²) + ε).</summary>
internal sealed class RmsNormLayer(ParameterSet parameters, string name, int width, float epsilon)
{
    private readonly int _region = parameters.Declare(name, new Shape(width));

    private Parameter Weight => parameters.Get(_region);

    /// <summary>The output as the input of linear layers, which find it again in <see cref="Output"/>.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">In kept memory.</param>
    /// <param name="form">How the output is kept, if it is.</param>
    /// <param name="state">For the backward.</param>
    public Tensor Forward(MicroBatchContext c, Tensor x, OperandCoding? form, State state)
    {
        bool isKept = !c.Recomputes(RecomputedParts.Norms);
        var y = c.MatrixFor(form, x.Rows, x.Columns, isKept);
        ForwardInto(c, x, y, state);
        state.Form = form;
        state.Y = KeptActivation.Of(c, y, form, isKept);
        return y;
    }

    /// <summary>The output in given memory; nobody will ask for it again.</summary>
    public void ForwardInto(MicroBatchContext c, Tensor x, Tensor y, State state)
    {
        state.X = x;
        state.InverseRms = c.KeptVector(x.Rows);
        c.Backend.RmsNorm(x, Weight.Weight, epsilon, y, state.InverseRms);
    }

    /// <summary>The output of the forward to the bit, computed again.</summary>
    public Tensor Again(MicroBatchContext c, State state)
    {
        var y = c.Matrix(state.X.Rows, state.X.Columns);
        c.Backend.RmsNorm(state.X, Weight.Weight, epsilon, y);
        return y;
    }

    /// <summary>The output as weight gradients see it: in the form in which it is kept, whether it is kept or not.</summary>
    public Tensor Output(MicroBatchContext c, State state) => state.Y.IsEmpty ? KeptActivation.Rounded(c, Again(c, state), state.Form) : state.Y.Restore(c);

    /// <summary>dx (+)= the gradient for the input.</summary>
    public void BackwardInput(MicroBatchContext c, Tensor dy, Tensor dx, bool accumulate, State state)
    {
        state.DY = dy;
        c.Backend.RmsNormBackward(state.X, Weight.Weight, state.InverseRms, dy, dx, accumulate);
    }

    public void BackwardWeight(MicroBatchContext c, State state) => c.Backend.RmsNormWeightBackward(state.X, state.InverseRms, state.DY, Weight.Gradient);

    public sealed class State
    {
        public Tensor X, InverseRms, DY;
        public OperandCoding? Form;
        public KeptActivation Y;
    }
}
