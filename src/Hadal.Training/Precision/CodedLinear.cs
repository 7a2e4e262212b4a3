using Hadal.Numerics;

namespace Hadal.Training.Precision;

/// <summary>Products whose operands are rounded just before, each of the three in its own way; sums and results are FP32.</summary>
/// <param name="forward">How x and W are rounded.</param>
/// <param name="inputGradient">How dy and W are rounded.</param>
/// <param name="weightGradient">How dy and x are rounded, along tokens.</param>
internal sealed class CodedLinear(ProductCoding forward, ProductCoding inputGradient, ProductCoding weightGradient) : LinearPrecision
{
    public override void Forward(IBackend backend, Tensor x, Tensor w, Tensor y) => backend.MatMul(x, false, w, true, y, forward);

    public override void InputGradient(IBackend backend, Tensor dy, Tensor w, Tensor dx, bool accumulate) => backend.MatMul(dy, false, w, false, dx, inputGradient, accumulate);

    public override void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor dw) => backend.MatMul(dy, true, x, false, dw, weightGradient, accumulate: true);

    public override void Forward(IBackend backend, Tensor x, Tensor offsets, Tensor w, Tensor y) => backend.GroupedMatMul(x, offsets, w, true, y, forward);

    public override void InputGradient(IBackend backend, Tensor dy, Tensor offsets, Tensor w, Tensor dx) => backend.GroupedMatMul(dy, offsets, w, false, dx, inputGradient);

    public override void WeightGradient(IBackend backend, Tensor dy, Tensor x, Tensor offsets, Tensor dw) =>
        backend.GroupedMatMulWeightBackward(dy, x, offsets, dw, weightGradient);
}
