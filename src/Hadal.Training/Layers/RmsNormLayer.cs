using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>y = w ⊙ x / sqrt(mean(x²) + ε).</summary>
internal sealed class RmsNormLayer(ParameterSet parameters, string name, int width, float epsilon)
{
    private readonly int _region = parameters.Declare(name, new Shape(width));

    private Parameter Weight => parameters.Get(_region);

    public Tensor Forward(MicroBatchContext c, Tensor x, State state)
    {
        var y = c.Matrix(x.Rows, x.Columns);
        ForwardInto(c, x, y, state);
        return y;
    }

    public void ForwardInto(MicroBatchContext c, Tensor x, Tensor y, State state)
    {
        state.X = x;
        state.InverseRms = c.Vector(x.Rows);
        c.Backend.RmsNorm(x, Weight.Weight, epsilon, y, state.InverseRms);
    }

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
    }
}
