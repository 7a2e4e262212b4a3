using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Copies blocks of A and B into the order in which micro-kernels read them.</summary>
internal static unsafe class GemmPacking<V>
    where V : struct, ILanes<V>
{
    /// <summary>A block of B, whatever its form, as FP32 panels [panel][k][16] in the scratch; missing columns of the last panel hold anything.</summary>
    public static void PackRight(GemmProblem* p, int k, int depth, int column, int columns, GemmScratch scratch)
    {
        float* destination = scratch.Right;
        if (p->TransposeB)
        {
            for (int j = 0; j < columns; j += 16, destination += depth * 16)
            {
                nint start = (column + j) * p->Ldb + k;
                int rows = Math.Min(16, columns - j);
                if (p->BType == DType.BF16) TransposeBFloat16((ushort*)p->B + start, p->Ldb, rows, depth, destination, scratch.Widened);
                else Transpose((float*)p->B + start, p->Ldb, rows, depth, destination);
            }
        }
        else if (p->BType == DType.BF16)
        {
            CopyPanels<BFloat16Element>((byte*)p->B + (k * p->Ldb + column) * sizeof(ushort), p->Ldb * sizeof(ushort), sizeof(ushort), depth, columns, destination);
        }
        else
        {
            CopyPanels<SingleElement>((byte*)p->B + (k * p->Ldb + column) * sizeof(float), p->Ldb * sizeof(float), sizeof(float), depth, columns, destination);
        }
    }

    /// <summary>A block of A: rows as they are, or for a transposed A the rows of a kernel side by side, [panel][k][row].</summary>
    public static void PackLeft(GemmProblem* p, int row, int k, int depth, in LeftBlock left)
    {
        if (!p->TransposeA)
        {
            for (int r = 0; r < left.Rows; r++)
                new ReadOnlySpan<float>(p->A + (row + r) * p->Lda + k, depth).CopyTo(new Span<float>(left.Source + r * GemmScratch.RowStride, depth));
            return;
        }

        CopyTransposedLeft(p->A + k * p->Lda + row, p->Lda, depth, left);
    }

    /// <summary>destination[k·16 + r] = source[r·stride + k] for sixteen rows; where there are fewer, the last is repeated.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* source, nint stride, int rows, int depth, float* destination)
    {
        nint* row = stackalloc nint[16];
        for (int r = 0; r < 16; r++) row[r] = Math.Min(r, rows - 1) * stride;
        int k = 0;
        if (typeof(V) == typeof(Lanes512) && SquareTranspose.Has16)
        {
            for (; k <= depth - 16; k += 16) SquareTranspose.Of16(source + k, row, destination + k * 16);
        }

        if (SquareTranspose.Has4)
        {
            for (; k <= depth - 4; k += 4)
            {
                for (int r = 0; r < 16; r += 4) SquareTranspose.Of4(source + k, row + r, destination + k * 16 + r);
            }
        }

        for (; k < depth; k++)
        {
            for (int r = 0; r < 16; r++) destination[k * 16 + r] = source[row[r] + k];
        }
    }

    /// <summary>As <see cref="Transpose"/>, from bfloat16 codes, through <paramref name="widened"/> (sixteen rows of <see cref="Gemm.WidenedDepth"/>).</summary>
    public static void TransposeBFloat16(ushort* source, nint stride, int rows, int depth, float* destination, float* widened)
    {
        for (int k = 0; k < depth; k += Gemm.WidenedDepth)
        {
            int count = Math.Min(Gemm.WidenedDepth, depth - k);
            for (int r = 0; r < rows; r++) BFloat16.Widen(source + r * stride + k, widened + r * Gemm.WidenedDepth, count);
            Transpose(widened, Gemm.WidenedDepth, rows, count, destination + k * 16);
        }
    }

    // Four panels at a time: long enough stretches of a row to read well, few enough places to write to.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyPanels<E>(byte* source, nint stride, int size, int depth, int columns, float* destination)
        where E : struct, IRightElement
    {
        nint panel = depth * 16;
        int j = 0;
        for (; j <= columns - 64; j += 64)
        {
            byte* s = source + j * size;
            float* d = destination + j * (nint)depth;
            for (int k = 0; k < depth; k++, s += stride, d += 16)
            {
                V.Store(E.Load<V>(s), d);
                V.Store(E.Load<V>(s + 16 * size), d + panel);
                V.Store(E.Load<V>(s + 32 * size), d + 2 * panel);
                V.Store(E.Load<V>(s + 48 * size), d + 3 * panel);
            }
        }

        for (; j <= columns - 16; j += 16)
        {
            byte* s = source + j * size;
            float* d = destination + j * (nint)depth;
            for (int k = 0; k < depth; k++, s += stride, d += 16) V.Store(E.Load<V>(s), d);
        }

        if (j == columns) return;
        for (int k = 0; k < depth; k++)
        {
            byte* s = source + j * size + k * stride;
            float* d = destination + j * (nint)depth + k * 16;
            for (int i = 0; i < 16; i++)
                d[i] = i >= columns - j ? 0 : size == sizeof(float) ? ((float*)s)[i] : BFloat16.ToSingle(((ushort*)s)[i]);
        }
    }

    // Panel i: destination[k·(rows of a kernel) + r] = source[k·stride + first row of i + r]. Row by row of the source, of which all panels take a piece.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyTransposedLeft(float* source, nint stride, int depth, in LeftBlock left)
    {
        int panels = left.Panels;
        int* start = stackalloc int[Gemm.BlockRows + 1];
        for (int i = 0; i <= panels; i++) start[i] = left.RowOfPanel(i);
        for (int k = 0; k < depth; k++, source += stride)
        {
            float* destination = left.Source + k * GemmKernels<V>.Rows;
            for (int i = 0; i < panels; i++, destination += left.PanelLength) CopyUpTo16(source + start[i], destination, start[i + 1] - start[i]);
        }
    }

    // Two copies that may overlap in the middle, instead of a loop.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyUpTo16(float* source, float* destination, int count)
    {
        if (count >= 8)
        {
            Vector256<float> head = Vector256.Load(source), tail = Vector256.Load(source + count - 8);
            head.Store(destination);
            tail.Store(destination + count - 8);
        }
        else if (count >= 4)
        {
            Vector128<float> head = Vector128.Load(source), tail = Vector128.Load(source + count - 4);
            head.Store(destination);
            tail.Store(destination + count - 4);
        }
        else
        {
            for (int r = 0; r < count; r++) destination[r] = source[r];
        }
    }
}
