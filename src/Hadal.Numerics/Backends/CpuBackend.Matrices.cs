using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    private GemmProblem[] _problems = [];

    /// <inheritdoc/>
    public void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate = false) =>
        Gemm.Run(_team, Problem(new MatMulOperands(a, transposeA, b, transposeB, c, accumulate), nameof(MatMul)), _form);

    /// <inheritdoc/>
    public void MatMulBatch(ReadOnlySpan<MatMulOperands> products)
    {
        EnsureProblems(products.Length);
        for (int i = 0; i < products.Length; i++) _problems[i] = Problem(products[i], nameof(MatMulBatch));
        RunProblems(products.Length);
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y)
    {
        int experts = StackHeight(w, nameof(GroupedMatMul));
        int* bounds = Offsets(offsets, experts, x.Rows, nameof(GroupedMatMul));
        RequireShape(y, x.Rows, w.Shape[transposeW ? 1 : 2]);
        EnsureProblems(experts);
        for (int e = 0; e < experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e];
            var operands = new MatMulOperands(x.RowRange(bounds[e], rows), false, w.Slice(e), transposeW, y.RowRange(bounds[e], rows));
            _problems[e] = Problem(operands, nameof(GroupedMatMul));
        }

        RunProblems(experts);
    }

    /// <inheritdoc/>
    public void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw)
    {
        int experts = StackHeight(dw, nameof(GroupedMatMulWeightBackward));
        int* bounds = Offsets(offsets, experts, x.Rows, nameof(GroupedMatMulWeightBackward));
        EnsureProblems(experts);
        for (int e = 0; e < experts; e++)
        {
            int rows = bounds[e + 1] - bounds[e];
            var operands = new MatMulOperands(dy.RowRange(bounds[e], rows), true, x.RowRange(bounds[e], rows), false, dw.Slice(e), true);
            _problems[e] = Problem(operands, nameof(GroupedMatMulWeightBackward));
        }

        RunProblems(experts);
    }

    private static GemmProblem Problem(in MatMulOperands o, string operation)
    {
        int m = o.TransposeA ? o.A.Columns : o.A.Rows, k = o.TransposeA ? o.A.Rows : o.A.Columns;
        int n = o.TransposeB ? o.B.Rows : o.B.Columns, kb = o.TransposeB ? o.B.Columns : o.B.Rows;
        Require(k == kb, operation, o.B, $"does not fit {o.A}: the inner sizes are {k} and {kb}");
        RequireShape(o.C, m, n, operation);
        Require(o.B.Type is DType.F32 or DType.BF16, operation, o.B, "has to be F32 or BF16");
        var a = Rows(o.A, operation);
        var c = Rows(o.C, operation);
        return new GemmProblem
        {
            A = a.Pointer,
            Lda = a.Stride,
            TransposeA = o.TransposeA,
            B = Address(o.B),
            BType = o.B.Type,
            Ldb = (nint)o.B.RowStride,
            TransposeB = o.TransposeB,
            C = c.Pointer,
            Ldc = c.Stride,
            M = m,
            N = n,
            K = k,
            Accumulate = o.Accumulate,
        };
    }

    private static int StackHeight(Tensor w, string operation)
    {
        Require(w.Shape.Rank == 3, operation, w, "has to be a stack of matrices [experts, out, in]");
        return checked((int)w.Shape[0]);
    }

    private static int* Offsets(Tensor offsets, int experts, int rows, string operation)
    {
        int* bounds = Integers(offsets, experts + 1, operation);
        bool fits = bounds[0] == 0 && bounds[experts] == rows;
        for (int e = 0; e < experts; e++) fits &= bounds[e] <= bounds[e + 1];
        Require(fits, operation, offsets, $"has to rise from 0 to {rows}");
        return bounds;
    }

    private void EnsureProblems(int count)
    {
        if (_problems.Length < count) _problems = new GemmProblem[count];
    }

    private void RunProblems(int count)
    {
        fixed (GemmProblem* problems = _problems) Gemm.RunGrouped(_team, problems, count, _form);
    }
}
