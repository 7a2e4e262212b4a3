using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <content>The scalar form.</content>
internal static unsafe partial class Gemm
{
    private static void RunReference(GemmProblem* p, int row, int rows, int column, int columns)
    {
        for (int m = row; m < row + rows; m++)
        {
            for (int n = column; n < column + columns; n++)
            {
                float* c = p->C + m * p->Ldc + n;
                float sum = p->Accumulate ? *c : 0;
                for (int k = 0; k < p->K; k++) sum = MathF.FusedMultiplyAdd(LeftElement(p, m, k), RightElement(p, k, n), sum);
                *c = sum;
            }
        }
    }

    private static float LeftElement(GemmProblem* p, int m, int k) => p->TransposeA ? p->A[k * p->Lda + m] : p->A[m * p->Lda + k];

    private static float RightElement(GemmProblem* p, int k, int n)
    {
        nint index = p->PackedB ? PackedMatrix.Index(k, n, p->K) : p->TransposeB ? n * p->Ldb + k : k * p->Ldb + n;
        return p->BType == DType.BF16 ? BFloat16.ToSingle(((ushort*)p->B)[index]) : ((float*)p->B)[index];
    }
}
