using System.Diagnostics;
using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>Matrix products in FP32.</summary>
/// <remarks>
/// The contract: every element of C is one chain of fused multiply-adds over ascending k,
/// <code>acc = accumulate ? C[m,n] : 0;  for k = 0 … K-1: acc = fma(A[m,k], B[k,n], acc);  C[m,n] = acc.</code>
/// Cutting K into blocks continues a chain from the stored C, which changes no bit; cutting M and N touches no chain. So the result does not depend on
/// threads, tiles, the size of the batch, the kernel form, or whether B is packed or products are grouped. (The payload of a NaN is not part of it.)
/// </remarks>
internal static unsafe partial class Gemm
{
    /// <summary>k values per block: twelve rows of A are 24 KB, half a first-level cache, and C is read and written once for so many k.</summary>
    internal const int BlockDepth = 512;

    /// <summary>Columns of B copied at a time: 512 KB with <see cref="BlockDepth"/>.</summary>
    internal const int BlockColumns = 256;

    /// <summary>Rows of a transposed A copied at a time (whole cache lines of its rows); a multiple of every kernel's rows.</summary>
    internal const int BlockRows = 48;

    /// <summary>Rows of the largest micro-kernel.</summary>
    internal const int MaxKernelRows = 12;

    /// <summary>k values of BF16 that are widened at a time on their way into panels.</summary>
    internal const int WidenedDepth = 64;

    /// <summary>Up to so many rows of A, a product is bound by reading B: it is read in the order of memory, and A stays in place.</summary>
    internal const int ThinRows = 16;

    // Products with less work than this (in multiply-adds, about ten microseconds) are not worth waking other threads.
    private const long WorkPerThread = 1 << 20;

    private const int TilesPerThread = 4;

    /// <summary>One product, shared by the team.</summary>
    public static void Run(ThreadTeam team, in GemmProblem problem, KernelForm? form = null)
    {
        GemmProblem local = problem;
        RunGrouped(team, &local, 1, form);
    }

    /// <summary>Independent products (one per expert) as one pool of tiles; sizes may differ widely and be 0.</summary>
    public static void RunGrouped(ThreadTeam team, GemmProblem* problems, int count, KernelForm? form = null)
    {
        for (int i = 0; i < count; i++) Check(problems[i]);
        TilePool.Run(team, problems, count, form ?? KernelForms.Current, new TileGrain(WorkPerThread, TilesPerThread, WorkPerThread / 4));
    }

    /// <summary>One product on the calling thread alone, for use inside other kernels.</summary>
    /// <param name="problem">The product; small ones are read in place as far as possible.</param>
    /// <param name="scratch">For instance <see cref="GemmScratch.Current"/>.</param>
    /// <param name="form">Null for the current form.</param>
    public static void RunSingle(in GemmProblem problem, GemmScratch scratch, KernelForm? form = null)
    {
        Check(problem);
        var chosen = form ?? KernelForms.Current;
        var tiling = new GemmTiling(problem, long.MaxValue);
        fixed (GemmProblem* p = &problem)
        {
            for (int tile = 0; tile < tiling.Count; tile++) RunTile(p, tiling, tile, scratch, chosen);
        }
    }

    /// <summary>C = A·B or C += A·B with a B that was packed once: for few rows about as fast as memory delivers B.</summary>
    /// <param name="team">Who works.</param>
    /// <param name="a">FP32 [m, K].</param>
    /// <param name="lda">Distance between rows of A.</param>
    /// <param name="m">Rows.</param>
    /// <param name="b">K×N.</param>
    /// <param name="c">FP32 [m, N].</param>
    /// <param name="ldc">Distance between rows of C.</param>
    /// <param name="accumulate">Add to what C holds.</param>
    /// <param name="form">Null for the current form.</param>
    public static void RunPacked(ThreadTeam team, float* a, nint lda, int m, PackedMatrix b, float* c, nint ldc, bool accumulate, KernelForm? form = null) =>
        Run(team, b.Problem(a, lda, m, c, ldc, accumulate, 0, b.N), form);

    /// <summary>One tile of a product.</summary>
    public static void RunTile(GemmProblem* problem, GemmTiling tiling, int tile, GemmScratch scratch, KernelForm form)
    {
        int row = tile / tiling.ColumnTiles * tiling.Rows, column = tile % tiling.ColumnTiles * tiling.Columns;
        int rows = Math.Min(tiling.Rows, problem->M - row), columns = Math.Min(tiling.Columns, problem->N - column);
        switch (form)
        {
            case KernelForm.Assembled512:
            case KernelForm.Vector512:
                new GemmTile<Lanes512>(problem, row, rows, column, columns, scratch).Run();
                break;
            case KernelForm.Assembled256:
            case KernelForm.Assembled256Plain:
            case KernelForm.Vector256:
                new GemmTile<Lanes256>(problem, row, rows, column, columns, scratch).Run();
                break;
            case KernelForm.Vector128:
                new GemmTile<Lanes128>(problem, row, rows, column, columns, scratch).Run();
                break;
            default:
                RunReference(problem, row, rows, column, columns);
                break;
        }
    }

    [Conditional("DEBUG")]
    private static void Check(in GemmProblem p)
    {
        Debug.Assert(p.M >= 0 && p.N >= 0 && p.K >= 0, "Dimensions are not negative.");
        Debug.Assert(p.BType is DType.F32 or DType.BF16, "B is FP32 or bfloat16.");
        Debug.Assert(p.Lda >= (p.TransposeA ? p.M : p.K) || p.M == 0 || p.K == 0, "Rows of A do not overlap.");
        Debug.Assert(p.PackedB || p.Ldb >= (p.TransposeB ? p.K : p.N) || p.N == 0 || p.K == 0, "Rows of B do not overlap.");
        Debug.Assert(p.Ldc >= p.N || p.M <= 1, "Rows of C do not overlap.");
    }
}
