using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Kernels;

/// <summary>An FP32 operand of a product as rows along the inner dimension, however it lies in memory.</summary>
internal unsafe struct OperandView
{
    /// <summary>Values along the inner dimension that share a scale, and rows of a block.</summary>
    public const int Tile = 128;

    /// <summary>First element.</summary>
    public float* Pointer;

    /// <summary>Floats between rows of memory.</summary>
    public nint Stride;

    /// <summary>Whether rows of memory are the inner dimension.</summary>
    public bool IsTransposed;

    /// <summary>M of the left operand, N of the right one.</summary>
    public int Rows;

    /// <summary>K.</summary>
    public int Depth;

    /// <summary>Tiles along the inner dimension.</summary>
    public readonly int Blocks => (Depth + Tile - 1) / Tile;

    /// <summary>A depth in whole tiles.</summary>
    public static int Padded(int depth) => (depth + Tile - 1) / Tile * Tile;

    /// <summary>Strips of 128 rows.</summary>
    public readonly int Strips => (Rows + Tile - 1) / Tile;

    /// <summary>The largest magnitude in a block of 128 rows by 128 of the inner dimension; NaN if one is there.</summary>
    public readonly float Amax(int strip, int block)
    {
        int row = strip * Tile, k = block * Tile, rows = Math.Min(Tile, Rows - row), depth = Math.Min(Tile, Depth - k);
        var (height, width) = IsTransposed ? (depth, rows) : (rows, depth);
        float* first = IsTransposed ? Pointer + k * Stride + row : Pointer + row * Stride + k;
        var most = Vector512<float>.Zero;
        float rest = 0;
        for (int i = 0; i < height; i++, first += Stride)
        {
            int j = 0;
            for (; j <= width - 16; j += 16) most = Vector512.Max(most, Vector512.Abs(Vector512.Load(first + j)));
            for (; j < width; j++) rest = MathF.Max(rest, MathF.Abs(first[j]));
        }

        for (int i = 0; i < 16; i++) rest = MathF.Max(rest, most[i]);
        return rest;
    }

    /// <summary>Up to sixteen rows as they lie, or turned over into scratch.</summary>
    /// <param name="row">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="scratch">Room for sixteen rows, with a multiple of sixteen floats each.</param>
    /// <param name="starts">Gets where each row starts.</param>
    public readonly void Gather(int row, int count, float* scratch, float** starts)
    {
        int distance = (Depth + 15) / 16 * 16;
        for (int r = 0; r < count; r++) starts[r] = IsTransposed ? scratch + (nint)r * distance : Pointer + (row + r) * Stride;
        if (!IsTransposed) return;
        int k = 0;
        if (count == 16 && SquareTranspose.Has16)
        {
            float* square = stackalloc float[256];
            nint* lines = stackalloc nint[16];
            for (int i = 0; i < 16; i++) lines[i] = i * Stride;
            for (; k <= Depth - 16; k += 16)
            {
                SquareTranspose.Of16(Pointer + k * Stride + row, lines, square);
                for (int r = 0; r < 16; r++) Vector512.Load(square + r * 16).Store(starts[r] + k);
            }
        }

        for (; k < Depth; k++)
        {
            float* line = Pointer + k * Stride + row;
            for (int r = 0; r < count; r++) starts[r][k] = line[r];
        }
    }
}
