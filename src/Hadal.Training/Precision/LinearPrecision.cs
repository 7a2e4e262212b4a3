using Hadal.Numerics;

namespace Hadal.Training.Precision;

/// <summary>The three products of a linear layer y = x·Wᵀ, for one matrix or a stack of experts.</summary>
/// <remarks>Legend: T rows, S rows sorted by expert, E experts, N outputs, K inputs.</remarks>
internal abstract class LinearPrecision
{
    /// <summary>Everything in FP32.</summary>
    public static LinearPrecision Full { get; } = new FullLinear();

    /// <summary>y = x·Wᵀ.</summary>
    public abstract void Forward(IBackend backend, Tensor x, Tensor w, Tensor y);

    /// <summary>dx (+)= dy·W.</summary>
    public abstract void InputGradient(IBackend backend, Tensor dy, Tensor w, Tensor dx, bool accumulate);

    /// <summary>dW += dyᵀ·x.</summary>
    public abstract void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor dw);

    /// <summary>y[s] = x[s]·W_eᵀ for each expert's rows.</summary>
    public abstract void Forward(IBackend backend, Tensor x, Tensor offsets, Tensor w, Tensor y);

    /// <summary>dx[s] = dy[s]·W_e for each expert's rows.</summary>
    public abstract void InputGradient(IBackend backend, Tensor dy, Tensor offsets, Tensor w, Tensor dx);

    /// <summary>dW_e += dyᵀ·x over each expert's rows.</summary>
    public abstract void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor offsets, Tensor dw);

    private sealed class FullLinear : LinearPrecision
    {
        public override void Forward(IBackend backend, Tensor x, Tensor w, Tensor y) => backend.MatMul(x, false, w, true, y);

        public override void InputGradient(IBackend backend, Tensor dy, Tensor w, Tensor dx, bool accumulate) => backend.MatMul(dy, false, w, false, dx, accumulate);

        public override void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor dw) => backend.MatMul(dy, true, x, false, dw, accumulate: true);

        public override void Forward(IBackend backend, Tensor x, Tensor offsets, Tensor w, Tensor y) => backend.GroupedMatMul(x, offsets, w, true, y);

        public override void InputGradient(IBackend backend, Tensor dy, Tensor offsets, Tensor w, Tensor dx) => backend.GroupedMatMul(dy, offsets, w, false, dx);

        public override void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor offsets, Tensor dw) => backend.GroupedMatMulWeightBackward(dy, x, offsets, dw);
    }
}
