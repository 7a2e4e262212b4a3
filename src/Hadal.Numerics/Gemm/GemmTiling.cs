namespace Hadal.Numerics.Kernels;

/// <summary>How one product is cut into tiles, the units of work that threads take.</summary>
internal readonly struct GemmTiling
{
    // Even a product of one row costs a pass over B, which memory makes as slow as about eight rows of arithmetic.
    private const int RowsOfMemoryCost = 8;
    private const int MaxRows = 1152;
    private const int MinRows = 96;
    private const int MinColumns = 64;

    /// <param name="problem">The product.</param>
    /// <param name="workPerTile">Multiply-adds that a tile should have at most, as far as the smallest tile allows.</param>
    public GemmTiling(in GemmProblem problem, long workPerTile)
    {
        int m = problem.M, n = problem.N;
        Rows = Math.Max(1, Math.Min(m, MaxRows));
        Columns = Math.Max(1, Math.Min(n, Gemm.BlockColumns));
        // Fewer rows first: that copies more of B again, but keeps the rows of C long.
        long perColumn = Math.Max(1, problem.K), pieces = DivideUp(perColumn * Math.Max(Rows, RowsOfMemoryCost) * Columns, workPerTile);
        if (pieces > 1 && Rows > MinRows)
        {
            int rows = (int)Math.Max(MinRows, DivideUp(Rows, pieces));
            Rows = Math.Min(m, (int)DivideUp(rows, Gemm.MaxKernelRows) * Gemm.MaxKernelRows);
            pieces = DivideUp(perColumn * Rows * Columns, workPerTile);
        }

        if (pieces > 1 && Columns > MinColumns)
        {
            int columns = (int)Math.Max(MinColumns, DivideUp(Columns, pieces));
            Columns = Math.Min(n, (int)DivideUp(columns, MinColumns) * MinColumns);
        }

        // Tiles of equal height, in whole kernels.
        int rowTiles = (int)DivideUp(m, Rows);
        if (rowTiles > 1) Rows = (int)DivideUp(DivideUp(m, rowTiles), Gemm.MaxKernelRows) * Gemm.MaxKernelRows;
        RowTiles = (int)DivideUp(m, Rows);
        ColumnTiles = (int)DivideUp(n, Columns);
    }

    /// <summary>Rows of a tile; the last may have fewer.</summary>
    public int Rows { get; }

    /// <summary>Columns of a tile, a multiple of sixteen unless there is but one; the last may have fewer.</summary>
    public int Columns { get; }

    public int RowTiles { get; }

    public int ColumnTiles { get; }

    public int Count => checked(RowTiles * ColumnTiles);

    /// <summary>Multiply-adds of a product, with the cost of reading B for few rows.</summary>
    public static long Work(in GemmProblem problem) => problem.M == 0 ? 0 : (long)Math.Max(problem.M, RowsOfMemoryCost) * problem.N * problem.K;

    private static long DivideUp(long value, long divisor) => value / divisor + (value % divisor == 0 ? 0 : 1);
}
