using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public PackedWeights Pack(Tensor w)
    {
        Require(w.Type is DType.F32 or DType.BF16 && w.Shape.Rank is 2 or 3, nameof(Pack), w, "has to be F32 or BF16 [out, in] or [experts, out, in]");
        int matrices = w.Shape.Rank == 3 ? checked((int)w.Shape[0]) : 1;
        int outputs = w.Rows / Math.Max(1, matrices), inputs = w.Columns;
        var panels = new PackedMatrix[matrices];
        for (int e = 0; e < matrices; e++)
        {
            var matrix = w.RowRange((long)e * outputs, outputs);
            panels[e] = PackedMatrix.Pack(_team, Address(matrix), matrix.Type, (nint)matrix.RowStride, outputs, inputs);
        }

        return new PanelWeights(panels, outputs, inputs);
    }

    /// <inheritdoc/>
    public void MatMul(Tensor x, PackedWeights w, Tensor y, bool accumulate = false)
    {
        var panels = Panels(w, x, y, 1, nameof(MatMul));
        var a = Rows(x);
        var c = Rows(y);
        Gemm.Run(_team, panels.Matrices[0].Problem(a.Pointer, a.Stride, a.Rows, c.Pointer, c.Stride, accumulate), _form);
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, PackedWeights w, Tensor y)
    {
        var panels = Panels(w, x, y, w.Experts, nameof(GroupedMatMul));
        int* bounds = Offsets(offsets, w.Experts, x.Rows, nameof(GroupedMatMul));
        EnsureProblems(w.Experts);
        var a = Rows(x);
        var c = Rows(y);
        for (int e = 0; e < w.Experts; e++)
            _problems[e] = panels.Matrices[e].Problem(a.Row(bounds[e]), a.Stride, bounds[e + 1] - bounds[e], c.Row(bounds[e]), c.Stride, false);
        RunProblems(w.Experts);
    }

    private static PanelWeights Panels(PackedWeights w, Tensor x, Tensor y, int matrices, string operation)
    {
        var panels = w as PanelWeights ?? throw new ArgumentException($"{operation}: the weights were arranged by another backend.");
        Require(w.Experts == matrices && x.Columns == w.InFeatures, operation, x, $"does not fit {w.Experts} arranged matrices of {w.OutFeatures} by {w.InFeatures}");
        RequireShape(y, x.Rows, w.OutFeatures, operation);
        return panels;
    }

    private sealed class PanelWeights(PackedMatrix[] matrices, int outputs, int inputs) : PackedWeights
    {
        public PackedMatrix[] Matrices => matrices;

        public override int Experts => matrices.Length;

        public override int OutFeatures => outputs;

        public override int InFeatures => inputs;

        public override long ByteLength => matrices.Sum(m => m.ByteLength);

        protected override void Dispose(bool disposing)
        {
            foreach (var matrix in matrices) matrix.Dispose();
        }
    }
}
