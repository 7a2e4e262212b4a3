namespace Hadal.Numerics.Gemm;

/// <summary>C = op(A)·op(B), or C + op(A)·op(B); op(A) is [M, K], op(B) [K, N].</summary>
internal unsafe struct GemmProblem
{
    public float* A;
    public nint Lda;
    public bool TransposeA;
    public void* B;
    public DType BType;
    public nint Ldb;
    public bool TransposeB;
    public float* C;
    public nint Ldc;
    public int M, N, K;
    public bool Accumulate;
}
