using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, float epsilon, Tensor y, Tensor inverseRms = default)
    {
        RequireShape(y, x.Rows, x.Columns);
        int perItem = RowsPerItem(x.Rows, x.Columns);
        Run(Items(x.Rows, perItem), new RmsNormKernel
        {
            X = Rows(x),
            Y = Rows(y),
            W = Vector(w, x.Columns),
            InverseRms = Vector(inverseRms, x.Rows),
            Epsilon = epsilon,
            RowsPerItem = perItem,
        });
    }

    /// <inheritdoc/>
    public void RmsNormBackward(Tensor x, Tensor w, Tensor inverseRms, Tensor dy, Tensor dx, bool accumulate)
    {
        RequireShape(dy, x.Rows, x.Columns);
        RequireShape(dx, x.Rows, x.Columns);
        int perItem = RowsPerItem(x.Rows, x.Columns);
        Run(Items(x.Rows, perItem), new RmsNormBackwardKernel
        {
            X = Rows(x),
            DY = Rows(dy),
            DX = Rows(dx),
            W = Vector(w, x.Columns),
            InverseRms = Vector(inverseRms, x.Rows),
            Accumulate = accumulate,
            RowsPerItem = perItem,
        });
    }

    /// <inheritdoc/>
    public void RmsNormWeightBackward(Tensor x, Tensor inverseRms, Tensor dy, Tensor dw)
    {
        RequireShape(dy, x.Rows, x.Columns);
        Run(Items(x.Columns, 16), new RmsNormWeightBackwardKernel
        {
            X = Rows(x),
            DY = Rows(dy),
            InverseRms = Vector(inverseRms, x.Rows),
            DW = Vector(dw, x.Columns),
        });
    }
}
