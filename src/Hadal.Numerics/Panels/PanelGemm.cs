using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>Products of coded activations and panels of coded weights.</summary>
/// <remarks>
/// <para>The contract, per element of C. bfloat16 and E4M3 weights (activations bfloat16), pairs of k in ascending order, the odd k of a pair first:</para>
/// <code>dot = fma(a[2i+1], w[2i+1], dot);  dot = fma(a[2i], w[2i], dot)</code>
/// <para>
/// which is what the processors' dot product instruction does. Without scales that chain runs over all k from 0 or C. With scales each block's dot starts from
/// 0, and c = fma(dot, sa·sw, c) over ascending blocks. FP16 weights: the contract of <see cref="Gemm"/>, c = fma(a[k], w[k], c) over ascending k. Byte and nibble weights: dot is an exact integer sum of at most 24 bits, c = fma(dot, sa·sw, c), and
/// with minima then c = fma(-Σa, m, c), Σa being scale times sum of the row's codes in the block.
/// </para>
/// <para>
/// bfloat16 in the order of tiles (<see cref="PanelFormat.InTiles"/>) has its own contract, for the processor's instruction leaves no other. Blocks of 32 k ascend; in each
/// the even and the odd k have chains of their own, from 0:
/// </para>
/// <code>even = fma(a[2i], w[2i], even);  odd = fma(a[2i+1], w[2i+1], odd);  then c = c + (even + odd)</code>
/// <para>
/// So the bits of a result do not depend on threads, tiles, the number of rows, or the form. Subnormal bfloat16 codes count as zero; a partial sum that becomes
/// subnormal is outside the contract (the instruction flushes it).
/// </para>
/// </remarks>
internal static unsafe partial class PanelGemm
{
    /// <summary>Rows of the largest micro-kernel.</summary>
    public const int MaxKernelRows = 12;

    // Up to so many rows a product is bound by reading the weights: panels are read in the order of memory, all k at once.
    private const int ThinRows = 48;

    // Up to so many rows packed codes are decoded as often as they are read; above, once into scratch.
    private const int DecodedInPlaceRows = 16;

    private const long WorkPerThread = 1 << 19;
    private const int TilesPerThread = 8;
    private const int BlockDepth = 1024;
    private const int UnpackedDepth = 512;
    private const int TileColumns = 256;
    private const int MaxTileRows = 1152;
    private const int RowsOfMemoryCost = 8;

    /// <summary>Independent products as one pool of tiles; sizes may differ widely and be 0.</summary>
    /// <param name="team">Who works.</param>
    /// <param name="problems">The products; results may not overlap.</param>
    /// <param name="count">How many.</param>
    /// <param name="form">Which form of the kernels.</param>
    public static void Run(ThreadTeam team, PanelProblem* problems, int count, KernelForm form) =>
        TilePool.Run(team, problems, count, form, new TileGrain(WorkPerThread, TilesPerThread, WorkPerThread / 8));

    /// <summary>One product on the calling thread alone, for use inside other kernels.</summary>
    public static void RunAlone(in PanelProblem problem, KernelForm form)
    {
        if (problem.M > 0) RunTile(problem, new Tile(0, problem.M, 0, problem.N), form);
    }

    /// <summary>Multiply-adds, with the cost of reading weights for few rows.</summary>
    public static long Work(in PanelProblem p) => p.M == 0 ? 0 : (long)Math.Max(p.M, RowsOfMemoryCost) * p.N * p.PaddedDepth;

    /// <summary>Tiles that a product is cut into.</summary>
    public static int CountTiles(in PanelProblem p, long workPerTile) => new Tiling(p, workPerTile).Count;

    /// <summary>One tile of a product.</summary>
    public static void RunTile(in PanelProblem p, int tile, long workPerTile, KernelForm form) => RunTile(p, new Tiling(p, workPerTile).At(p, tile), form);

    private static void RunTile(in PanelProblem p, in Tile tile, KernelForm form)
    {
        if (p.Format.InTiles)
        {
            if (form == KernelForm.Assembled512 && PanelTiles.BFloat16Refusal is null) RunOnTiles<PanelTiles.HardwareTiles>(p, tile);
            else RunReference(p, tile);
            return;
        }

        switch (form)
        {
            case KernelForm.Reference:
                RunReference(p, tile);
                break;
            case KernelForm.Vector512:
                RunVector<Lanes512>(p, tile);
                break;
            case KernelForm.Vector256:
                RunVector<Lanes256>(p, tile);
                break;
            case KernelForm.Vector128:
                RunVector<Lanes128>(p, tile);
                break;
            default:
                RunAssembled(p, tile, form);
                break;
        }
    }

    private static void RunAssembled(in PanelProblem p, in Tile tile, KernelForm form)
    {
        switch (PanelKernels.Of(form, p.Format))
        {
            case KernelForm.Assembled512:
                RunAssembled512(p, tile);
                break;
            case { } narrow:
                RunAssembled256(p, tile, narrow);
                break;
            case null when form == KernelForm.Assembled512:
                RunVector<Lanes512>(p, tile);
                break;
            default:
                RunVector<Lanes256>(p, tile);
                break;
        }
    }

    /// <summary>A part of C.</summary>
    private readonly record struct Tile(int Row, int Rows, int Column, int Columns);

    /// <summary>How a product is cut: tall tiles, columns in multiples of 64.</summary>
    private readonly struct Tiling
    {
        public Tiling(in PanelProblem p, long workPerTile)
        {
            Rows = Math.Max(1, Math.Min(p.M, MaxTileRows));
            Columns = Math.Max(1, Math.Min(p.N, p.M <= ThinRows ? p.N : TileColumns));
            long perColumn = (long)Math.Max(1, p.PaddedDepth) * Math.Max(Rows, RowsOfMemoryCost);
            if (Columns > 64 && perColumn * Columns > workPerTile)
            {
                // Whole groups of four panels, of nearly equal number.
                int groups = (int)Math.Max(1, workPerTile / (perColumn * 64)), all = (Columns + 63) / 64;
                int tiles = (all + groups - 1) / groups;
                Columns = Math.Min(p.N, (all + tiles - 1) / tiles * 64);
            }

            if (perColumn * Columns / 2 > workPerTile && Rows > 96)
            {
                int pieces = (int)Math.Min(Rows / 48, perColumn * Columns / workPerTile);
                Rows = Math.Min(p.M, ((p.M + pieces - 1) / pieces + MaxKernelRows - 1) / MaxKernelRows * MaxKernelRows);
            }

            RowTiles = (p.M + Rows - 1) / Rows;
            ColumnTiles = (p.N + Columns - 1) / Columns;
        }

        public int Rows { get; }

        public int Columns { get; }

        public int RowTiles { get; }

        public int ColumnTiles { get; }

        public int Count => checked(RowTiles * ColumnTiles);

        public Tile At(in PanelProblem p, int index)
        {
            int row = index / ColumnTiles * Rows, column = index % ColumnTiles * Columns;
            return new Tile(row, Math.Min(Rows, p.M - row), column, Math.Min(Columns, p.N - column));
        }
    }
}
