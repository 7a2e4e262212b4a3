using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Kernels;

/// <summary>Matrices of FP32 rounded to bfloat16 as operands of panel products, subnormals as zero. Columns are a multiple of sixteen.</summary>
internal static unsafe class BFloat16Codes
{
    /// <summary>Rows as rows of a left operand.</summary>
    public static void Rows(float* x, nint stride, int rows, int columns, ushort* codes, nint codeStride)
    {
        for (int r = 0; r < rows; r++) ActivationCoding.Narrow(x + r * stride, columns, codes + r * codeStride, columns);
    }

    /// <summary>Columns as rows of a left operand, sixteen pairs of rows at a time.</summary>
    /// <param name="x">[rows, columns].</param>
    /// <param name="stride">Floats between its rows.</param>
    /// <param name="rows">Rows, the operand's depth.</param>
    /// <param name="columns">Columns, the operand's rows.</param>
    /// <param name="codes">Gets [columns][rows], zeros up to a multiple of 32 rows.</param>
    /// <param name="codeStride">Codes between rows, even.</param>
    public static void Turned(float* x, nint stride, int rows, int columns, ushort* codes, nint codeStride)
    {
        uint* pairs = stackalloc uint[256];
        uint* turned = stackalloc uint[256];
        nint* lines = stackalloc nint[16];
        for (int i = 0; i < 16; i++) lines[i] = i * 16;
        for (int r = 0; r < rows; r += 32)
        {
            for (int c = 0; c < columns; c += 16)
            {
                for (int i = 0; i < 16; i++) Pair(x + (r + 2 * i) * stride + c, stride, rows - r - 2 * i).Store(pairs + i * 16);
                if (SquareTranspose.Has16) SquareTranspose.Of16((float*)pairs, lines, (float*)turned);
                else for (int i = 0; i < 256; i++) turned[i] = pairs[i % 16 * 16 + i / 16];
                for (int i = 0; i < 16; i++) Vector512.Load(turned + i * 16).Store((uint*)(codes + (c + i) * codeStride + r));
            }
        }
    }

    /// <summary>Columns as columns of panels, [row / 2][column][2]: rows are the depth, with zeros up to a multiple of sixteen.</summary>
    public static void Pairs(float* x, nint stride, int rows, int columns, byte* panels, nint panelStride)
    {
        int padded = (rows + 15) & ~15;
        for (int r = 0; r < padded; r += 2)
        {
            float* row = x + r * stride;
            byte* to = panels + r * 32;
            for (int c = 0; c < columns; c += 16, to += panelStride) Pair(row + c, stride, rows - r).Store((uint*)to);
        }
    }

    /// <summary>Rows as columns of panels, [column / 2][row][2]: columns are the depth, rows are padded with zeros to a multiple of <paramref name="padding"/>.</summary>
    public static void Panels(float* x, nint stride, int rows, int columns, byte* panels, int padding)
    {
        ushort* codes = stackalloc ushort[16 * columns];
        nint* starts = stackalloc nint[16];
        for (int i = 0; i < 16; i++) starts[i] = (nint)i * columns / 2;
        int padded = (rows + padding - 1) / padding * padding;
        for (int r = 0; r < padded; r += 16)
        {
            int count = Math.Clamp(rows - r, 0, 16);
            Rows(x + r * stride, stride, count, columns, codes, columns);
            new Span<ushort>(codes + count * columns, (16 - count) * columns).Clear();
            byte* panel = panels + r / 16 * (nint)columns * 32;
            int pair = 0;
            for (; SquareTranspose.Has16 && pair <= columns / 2 - 16; pair += 16) SquareTranspose.Of16((float*)codes + pair, starts, (float*)panel + pair * 16);
            for (; pair < columns / 2; pair++)
            {
                for (int i = 0; i < 16; i++) ((uint*)panel)[pair * 16 + i] = ((uint*)codes)[starts[i] + pair];
            }
        }
    }

    /// <summary>x[c][r] with sixteen columns at a time to y[r][c], columns of x beyond those of y left out.</summary>
    public static void Transpose(float* x, nint stride, int rows, int columns, float* y, nint yStride)
    {
        float* square = stackalloc float[256];
        nint* lines = stackalloc nint[16];
        for (int i = 0; i < 16; i++) lines[i] = i * stride;
        for (int c = 0; c < columns; c += 16)
        {
            int width = Math.Min(16, columns - c);
            for (int r = 0; r < rows; r += 16)
            {
                int height = Math.Min(16, rows - r);
                if (SquareTranspose.Has16)
                {
                    // Memory behind the matrix is read, and what it holds not used.
                    SquareTranspose.Of16(x + r * stride + c, lines, square);
                    for (int i = 0; i < width; i++) new ReadOnlySpan<float>(square + i * 16, height).CopyTo(new Span<float>(y + (c + i) * yStride + r, height));
                    continue;
                }

                for (int i = 0; i < width; i++)
                {
                    for (int j = 0; j < height; j++) y[(c + i) * yStride + r + j] = x[(r + j) * stride + c + i];
                }
            }
        }
    }

    // Two rows as bfloat16 pairs; missing ones are zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Pair(float* row, nint stride, int rows)
    {
        if (rows <= 0) return Vector512<uint>.Zero;
        var even = Code(Vector512.Load(row));
        return rows == 1 ? even : even | Vector512.ShiftLeft(Code(Vector512.Load(row + stride)), 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Code(Vector512<float> value)
    {
        var code = Formats.BFloat16.Rounded(value);
        var isTiny = Vector512.Equals(code & Vector512.Create(0x7F80u), Vector512<uint>.Zero);
        return Vector512.ConditionalSelect(isTiny, code & Vector512.Create(0x8000u), code);
    }
}
