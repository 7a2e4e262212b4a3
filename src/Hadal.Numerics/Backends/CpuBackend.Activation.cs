using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void SwiGlu(Tensor gateUp, Tensor rowScale, Tensor y)
    {
        RequireShape(gateUp, y.Rows, 2L * y.Columns);
        int perItem = RowsPerItem(y.Rows, 2 * y.Columns);
        Run(Items(y.Rows, perItem), new SwiGluKernel { GateUp = Rows(gateUp), Y = Rows(y), RowScale = Vector(rowScale, y.Rows), RowsPerItem = perItem });
    }

    /// <inheritdoc/>
    public void SwiGluBackward(Tensor gateUp, Tensor rowScale, Tensor dy, Tensor dGateUp, Tensor dRowScale)
    {
        RequireShape(gateUp, dy.Rows, 2L * dy.Columns);
        RequireShape(dGateUp, dy.Rows, 2L * dy.Columns);
        int perItem = RowsPerItem(dy.Rows, 2 * dy.Columns);
        Run(Items(dy.Rows, perItem), new SwiGluBackwardKernel
        {
            GateUp = Rows(gateUp),
            DY = Rows(dy),
            DGateUp = Rows(dGateUp),
            RowScale = Vector(rowScale, dy.Rows),
            DRowScale = Vector(dRowScale, dy.Rows),
            RowsPerItem = perItem,
        });
    }
}
