using Hadal.Numerics;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Layers;

/// <summary>y = x·Wᵀ with W [out, in], no bias.</summary>
internal sealed class LinearLayer
{
    private readonly ParameterSet _parameters;
    private readonly int _region, _outputs, _inputs;
    private readonly LinearRole _role;

    /// <param name="parameters">Where the weight lives.</param>
    /// <param name="name">Checkpoint name.</param>
    /// <param name="outputs">Rows of W.</param>
    /// <param name="inputs">Columns of W.</param>
    /// <param name="role">What it is for, which decides the precision of its products.</param>
    public LinearLayer(ParameterSet parameters, string name, int outputs, int inputs, LinearRole role = LinearRole.Block)
    {
        (_parameters, _outputs, _inputs, _role) = (parameters, outputs, inputs, role);
        _region = parameters.Declare(name, new Shape(outputs, inputs));
    }

    /// <summary>Two matrices of equal shape under one product: gate over up.</summary>
    public LinearLayer(ParameterSet parameters, string first, string second, int outputsEach, int inputs)
    {
        (_parameters, _outputs, _inputs) = (parameters, 2 * outputsEach, inputs);
        _region = parameters.DeclareRegion(new Shape(_outputs, inputs));
        parameters.Name(first, _region, 0, new Shape(outputsEach, inputs));
        parameters.Name(second, _region, outputsEach, new Shape(outputsEach, inputs));
    }

    private Parameter Weight => _parameters.Get(_region);

    public Tensor Forward(MicroBatchContext c, Tensor x)
    {
        var y = c.Matrix(x.Rows, _outputs);
        ForwardInto(c, x, y);
        return y;
    }

    public void ForwardInto(MicroBatchContext c, Tensor x, Tensor y) => c.Precision.Of(_role).Forward(c.Backend, x, Weight.Weight, y);

    /// <summary>The gradient for the input, in memory of <see cref="MicroBatchContext.GradientMatrix"/>.</summary>
    public Tensor BackwardInput(MicroBatchContext c, Tensor dy, State state)
    {
        var dx = c.GradientMatrix(dy.Rows, _inputs);
        BackwardInputInto(c, dy, dx, false, state);
        return dx;
    }

    /// <summary>dx (+)= the gradient for the input.</summary>
    public void BackwardInputInto(MicroBatchContext c, Tensor dy, Tensor dx, bool accumulate, State state)
    {
        state.DY = dy;
        c.Precision.Of(_role).InputGradient(c.Backend, dy, Weight.Weight, dx, accumulate);
    }

    /// <summary>The gradient for the weight.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">The input of the forward, as it was kept.</param>
    /// <param name="state">With the gradient for the output.</param>
    public void BackwardWeight(MicroBatchContext c, Tensor x, State state) => c.Precision.Of(_role).WeightGradient(c.Backend, state.DY, x, Weight.Gradient);

    public sealed class State
    {
        public Tensor DY;
    }
}
