using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>One tile of C in a vector form: blocks of k, blocks of rows, panels of sixteen columns, micro-kernels.</summary>
/// <remarks>
/// Loop order: a block of B (k × all columns of the tile) is copied once, into panels that stay in the second-level cache; then one kernel height of A
/// after the other is copied and stays in the first-level cache while all panels run past it. What a kernel can read in place is not copied.
/// </remarks>
internal unsafe ref struct GemmTile<V>
    where V : struct, ILanes<V>
{
    // Copying B costs about as much as multiplying five rows by it. Rows of B that lie far apart are slow to read over and over, so only shallow ones stay.
    private const int MaxRowsInPlace = 96;
    private const int MaxDepthInPlace = 128;

    // Copying a transposed A pays when it is read for more than so many columns.
    private const int MaxColumnsInPlace = 64;

    // With packed panels the order of memory pays for more rows, as long as those rows of A stay in the second-level cache.
    private const int MaxPackedThinRows = 64;
    private const int MaxPackedThinLeft = 128 << 10;

    // A shallower kernel is over before memory answers.
    private const int MinDepthToPrefetch = 128;

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
        _thin = rows <= Gemm.ThinRows || problem->PackedB && rows <= MaxPackedThinRows && (long)rows * problem->K <= MaxPackedThinLeft;
        bool readable = _thin || problem->BType == DType.F32;
        bool worthwhile = _thin || problem->PackedB || rows <= MaxRowsInPlace && problem->K <= MaxDepthInPlace;
        _rightInPlace = readable && worthwhile && (problem->PackedB || !problem->TransposeB);
        _leftInPlace = problem->TransposeA && columns <= MaxColumnsInPlace;
    }

    private readonly int PartialColumns => _columns % 16;

    /// <summary>Computes the tile.</summary>
    public void Run()
    {
        var p = _problem;
        // In place and thin, only a partial panel of B is copied, so a block of k may be as long as such a panel can be.
        int depth = BalancedBlock(p->K, _thin && _rightInPlace ? GemmScratch.RightLength / 16 : Gemm.BlockDepth);
        int rows = _leftInPlace ? _rows : BalancedBlock(_rows, p->TransposeA ? Gemm.BlockRows : GemmKernels<V>.Rows);
        if (rows > GemmKernels<V>.Rows) rows = (rows + GemmKernels<V>.Rows - 1) / GemmKernels<V>.Rows * GemmKernels<V>.Rows;
        _k = 0;
        do
        {
            _call.Depth = Math.Min(depth, p->K - _k);
            PrepareRight();
            if (_thin)
            {
                RunThin();
            }
            else
            {
                for (int row = 0; row < _rows; row += rows) RunRows(_row + row, Math.Min(rows, _rows - row), Math.Min(rows, _rows - row - rows));
            }

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

    // Few rows: B is read once, in the order of memory where it can be, and A where it lies.
    private void RunThin()
    {
        var p = _problem;
        int kernels = (_rows + GemmKernels<V>.ThinRows - 1) / GemmKernels<V>.ThinRows;
        var left = new LeftBlock
        {
            Source = p->A + (p->TransposeA ? _k * p->Lda + _row : _row * p->Lda + _k),
            Rows = _rows,
            Panels = kernels,
            RowStride = p->TransposeA ? 1 : p->Lda,
        };
        _call.LeftStride = left.RowStride;
        _call.LeftStep = p->TransposeA ? p->Lda : 1;
        float* c = p->C + _row * p->Ldc + _column;
        int fullPanels = _columns / 16, width = GemmKernels<V>.ThinPanels((_rows + kernels - 1) / kernels);
        for (int panel = 0; panel < fullPanels; panel += width)
        {
            while (width > fullPanels - panel) width /= 2;
            SetRight(panel, copied: false);
            for (int i = 0, first = 0; i < kernels; i++)
            {
                int next = left.RowOfPanel(i + 1);
                _call.Left = left.Panel(i, first);
                RunKernel(c + first * p->Ldc + panel * 16, p->Ldc, next - first, width, _rightInPlace && p->BType == DType.BF16);
                first = next;
            }
        }

        for (int i = 0, first = 0; PartialColumns > 0 && i < kernels; i++)
        {
            int next = left.RowOfPanel(i + 1);
            _call.Left = left.Panel(i, first);
            RunCorner(c + first * p->Ldc + fullPanels * 16, next - first, fullPanels);
            first = next;
        }
    }

    private void RunRows(int row, int rows, int nextRows)
    {
        var p = _problem;
        var left = new LeftBlock
        {
            Source = _leftInPlace ? p->A + (p->TransposeA ? _k * p->Lda + row : row * p->Lda + _k) : _scratch.Left,
            Rows = rows,
            Panels = (rows + GemmKernels<V>.Rows - 1) / GemmKernels<V>.Rows,
            PanelLength = _leftInPlace || !p->TransposeA ? 0 : GemmKernels<V>.Rows * _call.Depth,
            RowStride = p->TransposeA ? 1 : _leftInPlace ? p->Lda : GemmScratch.RowStride,
        };
        _call.LeftStride = left.RowStride;
        _call.LeftStep = !p->TransposeA ? 1 : _leftInPlace ? p->Lda : GemmKernels<V>.Rows;
        if (!_leftInPlace) GemmPacking<V>.PackLeft(p, row, _k, _call.Depth, left);
        float* c = p->C + row * p->Ldc + _column;
        int fullPanels = _columns / 16;
        for (int i = 0, first = 0; i < left.Panels; i++)
        {
            int next = left.RowOfPanel(i + 1);
            _call.Left = left.Panel(i, first);
            int width = GemmKernels<V>.Panels;
            for (int panel = 0; panel < fullPanels; panel += width)
            {
                while (width > fullPanels - panel) width /= 2;
                SetRight(panel, copied: false);
                if (_call.Depth >= MinDepthToPrefetch)
                {
                    PrefetchC(c + first * p->Ldc + (panel + width) * 16, p->Ldc, next - first);
                    if (nextRows > 0 && !_leftInPlace) PrefetchLeft(row + rows, nextRows, i * fullPanels + panel, width, left.Panels * fullPanels);
                }

                RunKernel(c + first * p->Ldc + panel * 16, p->Ldc, next - first, width, isBFloat16: false);
            }

            if (PartialColumns > 0) RunCorner(c + first * p->Ldc + fullPanels * 16, next - first, fullPanels);
            first = next;
        }
    }

    // While a kernel computes, the part of C that the next one adds to comes nearer. (Prefetching reads nothing, so any address will do.)
    private static void PrefetchC(float* c, nint ldc, int rows)
    {
        if (!Sse.IsSupported) return;
        for (int r = 0; r < rows; r++, c += ldc)
        {
            Sse.Prefetch0(c);
            Sse.Prefetch0(c + 16);
        }
    }

    // So does a share of the block of A that is copied next: of the source's lines, part start … start + length of total.
    private readonly void PrefetchLeft(int row, int rows, int start, int length, int total)
    {
        if (!Sse.IsSupported) return;
        var p = _problem;
        int lines = p->TransposeA ? _call.Depth : rows;
        int width = p->TransposeA ? rows : _call.Depth;
        float* source = p->TransposeA ? p->A + _k * p->Lda + row : p->A + row * p->Lda + _k;
        for (int i = lines * start / total; i < lines * (start + length) / total; i++)
        {
            for (int j = 0; j < width + 15; j += 16) Sse.Prefetch1(source + i * p->Lda + j);
        }
    }

    private void SetRight(int panel, bool copied)
    {
        _call.Right = copied ? (byte*)_scratch.Right : _right + panel * _call.RightPanel;
        _call.RightStep = copied ? 16 * sizeof(float) : _rightStep;
    }

    private void RunKernel(float* c, nint ldc, int rows, int panels, bool isBFloat16)
    {
        _call.C = c;
        _call.Ldc = ldc;
        _call.Accumulate = _problem->Accumulate || _k > 0;
        if (_thin && isBFloat16) GemmKernels<V>.RunThin<StridedRows, BFloat16Element>(rows, panels, _call);
        else if (_thin) GemmKernels<V>.RunThin<StridedRows, SingleElement>(rows, panels, _call);
        else if (_problem->TransposeA) GemmKernels<V>.RunWide<AdjacentRows>(rows, panels, _call);
        else GemmKernels<V>.RunWide<CopiedRows>(rows, panels, _call);
    }

    // At the right border the kernel works on a copy of C's last columns, sixteen wide, and of B's, if B is read in place.
    private void RunCorner(float* c, int rows, int panel)
    {
        bool copied = _rightInPlace && !_problem->PackedB;
        SetRight(panel, copied);
        float* corner = _scratch.Corner;
        nint ldc = _problem->Ldc;
        int columns = PartialColumns;
        Unsafe.InitBlockUnaligned(corner, 0, (uint)(rows * 16 * sizeof(float)));
        for (int r = 0; r < rows; r++) new ReadOnlySpan<float>(c + r * ldc, columns).CopyTo(new Span<float>(corner + r * 16, columns));
        RunKernel(corner, 16, rows, 1, _rightInPlace && !copied && _problem->BType == DType.BF16);
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
