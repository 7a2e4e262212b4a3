using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Gemm;

/// <summary>Matrix products: every element is one chain of fused multiply-adds over k in ascending order.</summary>
internal static unsafe class GemmKernel
{
    public static void RunSingle(KernelForm form, in GemmProblem p)
    {
        for (int m = 0; m < p.M; m++)
        {
            for (int n = 0; n < p.N; n++)
            {
                float sum = p.Accumulate ? p.C[m * p.Ldc + n] : 0;
                for (int k = 0; k < p.K; k++)
                {
                    float a = p.TransposeA ? p.A[k * p.Lda + m] : p.A[m * p.Lda + k];
                    nint place = p.TransposeB ? n * p.Ldb + k : k * p.Ldb + n;
                    float b = p.BType == DType.BF16 ? BitConverter.UInt32BitsToSingle((uint)((ushort*)p.B)[place] << 16) : ((float*)p.B)[place];
                    sum = MathF.FusedMultiplyAdd(a, b, sum);
                }

                p.C[m * p.Ldc + n] = sum;
            }
        }
    }

    public static void Run(ThreadTeam team, KernelForm form, in GemmProblem p) => RunSingle(form, p);

    public static void RunGrouped(ThreadTeam team, KernelForm form, GemmProblem* problems, int count)
    {
        for (int i = 0; i < count; i++) RunSingle(form, problems[i]);
    }
}
