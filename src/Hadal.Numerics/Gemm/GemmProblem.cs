namespace Hadal.Numerics.Kernels;

/// <summary>One matrix product, C = op(A)·op(B) or C += op(A)·op(B): op(A) is M×K, op(B) is K×N, C is M×N.</summary>
/// <remarks>Row-major; a leading dimension is the distance between rows as stored, in elements. C overlaps neither A nor B. Any dimension may be 0.</remarks>
internal readonly unsafe struct GemmProblem : ITiledProduct
{
    /// <summary>FP32, stored [M, K], or [K, M] if <see cref="TransposeA"/>.</summary>
    public float* A { get; init; }

    public nint Lda { get; init; }

    public bool TransposeA { get; init; }

    /// <summary>Of <see cref="BType"/>; stored [K, N], or [N, K] if <see cref="TransposeB"/>, or in panels if <see cref="PackedB"/>.</summary>
    public void* B { get; init; }

    /// <summary><see cref="DType.F32"/>, or <see cref="DType.BF16"/> whose elements are widened (exact) on the way.</summary>
    public DType BType { get; init; }

    public nint Ldb { get; init; }

    public bool TransposeB { get; init; }

    /// <summary>B lies in the panels of a <see cref="PackedMatrix"/>; <see cref="Ldb"/> and <see cref="TransposeB"/> mean nothing then.</summary>
    public bool PackedB { get; init; }

    /// <summary>FP32, [M, N].</summary>
    public float* C { get; init; }

    public nint Ldc { get; init; }

    public int M { get; init; }

    public int N { get; init; }

    public int K { get; init; }

    /// <summary>Add to what C holds instead of replacing it.</summary>
    public bool Accumulate { get; init; }

    /// <inheritdoc/>
    public long Work => GemmTiling.Work(this);

    /// <inheritdoc/>
    public int CountTiles(long workPerTile) => new GemmTiling(this, workPerTile).Count;

    /// <inheritdoc/>
    public void RunTile(int tile, long workPerTile, KernelForm form)
    {
        fixed (GemmProblem* problem = &this) Gemm.RunTile(problem, new GemmTiling(this, workPerTile), tile, GemmScratch.Current, form);
    }
}
