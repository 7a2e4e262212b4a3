using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>One tile of C in a vector form: blocks of k, blocks of rows, panels of sixteen columns, micro-kernels.</summary>
/// <remarks>
/// Loop order: a block of B (k × all columns of the tile) is copied into panels once; for each block of rows of A, also copied, one or two panels of B
/// stay in the first-level cache while the rows run past them. What a kernel can read in place is not copied.
/// </remarks>
internal unsafe ref struct GemmTile<V>
    where V : struct, ILanes<V>
{
    // Copying B costs about as much as multiplying five rows by it. Rows of B that lie far apart are slow to read over and over, so only shallow ones stay.
    private const int MaxRowsInPlace = 96;
    private const int MaxDepthInPlace = 128;

    // Copying a transposed A pays when it is read for more than so many columns.
    private const int MaxColumnsInPlace = 64;

    private readonly GemmProblem* _problem;
    private readonly GemmScratch _scratch;
    private readonly int _row;
    private readonly int _rows;
    private readonly int _column;
    private readonly int _columns;
    private readonly bool _thin;
    private readonly bool _rightInPlace;
    private readonly bool _leftInPlace;
    private KernelCall _call;

    // The block of k at hand, and where its panels of B begin.
    private int _k;
    private byte* _right;
    private nint _rightStep;

    public GemmTile(GemmProblem* problem, int row, int rows, int column, int columns, GemmScratch scratch)
    {
        _problem = problem;
        _scratch = scratch;
        (_row, _rows, _column, _columns) = (row, rows, column, columns);
        _thin = rows <= Gemm.ThinRows;
        bool readable = _thin || problem->BType == DType.F32;
        bool worthwhile = _thin || problem->PackedB || rows <= MaxRowsInPlace && problem->K <= MaxDepthInPlace;
        _rightInPlace = readable && worthwhile && (problem->PackedB || !problem->TransposeB);
        _leftInPlace = _thin || problem->TransposeA && columns <= MaxColumnsInPlace;
    }

    private readonly int Panels => (_columns + 15) / 16;

    private readonly int PartialColumns => _columns % 16;

    /// <summary>Computes the tile.</summary>
    public void Run()
    {
        var p = _problem;
        // In place and thin, only a partial panel of B is copied, so a block of k may be as long as such a panel can be.
        int depth = BalancedBlock(p->K, _thin && _rightInPlace ? GemmScratch.RightLength / 16 : Gemm.BlockDepth);
        int rows = BalancedBlock(_rows, Gemm.BlockRows);
        _k = 0;
        do
        {
            _call.Depth = Math.Min(depth, p->K - _k);
            PrepareRight();
            for (int row = 0; row < _rows; row += rows) RunRows(_row + row, Math.Min(rows, _rows - row));
            _k += _call.Depth;
        }
        while (_k < p->K);
    }

    private void PrepareRight()
    {
        var p = _problem;
        int size = p->BType.SizeOf();
        if (!_rightInPlace)
        {
            GemmPacking<V>.PackRight(p, _k, _call.Depth, _column, _columns, _scratch);
            _right = (byte*)_scratch.Right;
            _rightStep = 16 * sizeof(float);
            _call.RightPanel = _call.Depth * _rightStep;
        }
        else if (p->PackedB)
        {
            _right = (byte*)p->B + PackedMatrix.Index(_k, _column, p->K) * size;
            _rightStep = 16 * size;
            _call.RightPanel = p->K * _rightStep;
        }
        else
        {
            _right = (byte*)p->B + (_k * p->Ldb + _column) * size;
            _rightStep = p->Ldb * size;
            _call.RightPanel = 16 * size;
            if (PartialColumns > 0) GemmPacking<V>.PackRight(p, _k, _call.Depth, _column + _columns - PartialColumns, PartialColumns, _scratch);
        }
    }

    private void RunRows(int row, int rows)
    {
        var p = _problem;
        var left = new LeftBlock
        {
            Source = _leftInPlace ? p->A + (p->TransposeA ? _k * p->Lda + row : row * p->Lda + _k) : _scratch.Left,
            Rows = rows,
            Panels = _thin ? 1 : (rows + GemmKernels<V>.Rows - 1) / GemmKernels<V>.Rows,
            PanelLength = _leftInPlace || !p->TransposeA ? 0 : GemmKernels<V>.Rows * _call.Depth,
            RowStride = p->TransposeA ? 1 : _leftInPlace ? p->Lda : GemmScratch.RowStride,
        };
        _call.LeftStride = left.RowStride;
        _call.LeftStep = !p->TransposeA ? 1 : _leftInPlace ? p->Lda : GemmKernels<V>.Rows;
        if (!_leftInPlace) GemmPacking<V>.PackLeft(p, row, _k, _call.Depth, left);
        float* c = p->C + row * p->Ldc + _column;
        int fullPanels = _columns / 16, width = _thin ? GemmKernels<V>.ThinPanels(rows) : GemmKernels<V>.Panels;
        for (int panel = 0; panel < Panels; panel += width)
        {
            bool partial = panel == fullPanels;
            while (!partial && width > fullPanels - panel) width /= 2;
            if (partial) width = 1;
            bool copied = partial && _rightInPlace && !p->PackedB;
            _call.Right = copied ? (byte*)_scratch.Right : _right + panel * _call.RightPanel;
            _call.RightStep = copied ? 16 * sizeof(float) : _rightStep;
            bool isBFloat16 = _rightInPlace && !copied && p->BType == DType.BF16;
            for (int i = 0, first = 0; i < left.Panels; i++)
            {
                int next = left.RowOfPanel(i + 1);
                _call.Left = left.Panel(i, first);
                if (partial) RunCorner(c + first * p->Ldc + panel * 16, next - first, isBFloat16);
                else RunKernel(c + first * p->Ldc + panel * 16, p->Ldc, next - first, width, isBFloat16);
                first = next;
            }
        }
    }

    private void RunKernel(float* c, nint ldc, int rows, int panels, bool isBFloat16)
    {
        _call.C = c;
        _call.Ldc = ldc;
        _call.Accumulate = _problem->Accumulate || _k > 0;
        if (_thin) GemmKernels<V>.RunThin(rows, panels, isBFloat16, _call);
        else if (_problem->TransposeA) GemmKernels<V>.RunWide<AdjacentRows>(rows, panels, _call);
        else GemmKernels<V>.RunWide<CopiedRows>(rows, panels, _call);
    }

    // At the right border the kernel works on a copy of C's last columns, sixteen wide.
    private void RunCorner(float* c, int rows, bool isBFloat16)
    {
        float* corner = _scratch.Corner;
        nint ldc = _problem->Ldc;
        int columns = PartialColumns;
        Unsafe.InitBlockUnaligned(corner, 0, (uint)(rows * 16 * sizeof(float)));
        for (int r = 0; r < rows; r++) new ReadOnlySpan<float>(c + r * ldc, columns).CopyTo(new Span<float>(corner + r * 16, columns));
        RunKernel(corner, 16, rows, 1, isBFloat16);
        for (int r = 0; r < rows; r++) new ReadOnlySpan<float>(corner + r * 16, columns).CopyTo(new Span<float>(c + r * ldc, columns));
    }

    // Blocks of nearly equal length, none longer than the largest.
    private static int BalancedBlock(int length, int largest)
    {
        int blocks = Math.Max(1, (length + largest - 1) / largest);
        return (length + blocks - 1) / blocks;
    }
}

/// <summary>A block of rows of A, cut into panels of nearly equal height, each at most one kernel high.</summary>
internal readonly unsafe struct LeftBlock
{
    public float* Source { get; init; }

    public int Rows { get; init; }

    public int Panels { get; init; }

    /// <summary>Floats from one copied panel to the next, when A is transposed; otherwise 0 and rows follow one another.</summary>
    public int PanelLength { get; init; }

    public nint RowStride { get; init; }

    public int RowOfPanel(int panel) => (int)((long)Rows * panel / Panels);

    public float* Panel(int panel, int firstRow) => PanelLength > 0 ? Source + (nint)panel * PanelLength : Source + firstRow * RowStride;
}
