using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Kernels;

/// <summary>How FP32 becomes codes that are held as bfloat16.</summary>
internal unsafe interface IColumnCode
{
    /// <summary>Codes in the lower halves.</summary>
    /// <param name="values">Of sixteen columns.</param>
    /// <param name="scales">Of these columns; null without.</param>
    static abstract Vector512<uint> Code(Vector512<float> values, float* scales);
}

/// <summary>bfloat16, ties to even, subnormals as zero.</summary>
internal readonly unsafe struct PlainCode : IColumnCode
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Code(Vector512<float> values, float* scales)
    {
        var code = Formats.BFloat16.Rounded(values);
        var isTiny = Vector512.Equals(code & Vector512.Create(0x7F80u), Vector512<uint>.Zero);
        return Vector512.ConditionalSelect(isTiny, code & Vector512.Create(0x8000u), code);
    }
}

/// <summary>E4M3 of values divided by their column's scale.</summary>
internal readonly unsafe struct ScaledE4M3Code : IColumnCode
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Code(Vector512<float> values, float* scales) => Vector512.ShiftRightLogical(ActivationCoding.RoundToE4M3(values / Vector512.Load(scales)).AsUInt32(), 16);
}

/// <summary>Matrices of FP32 as coded operands of panel products. Columns are a multiple of sixteen.</summary>
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
    /// <param name="scales">Of the columns, if codes are scaled.</param>
    public static void Turned<TCode>(float* x, nint stride, int rows, int columns, ushort* codes, nint codeStride, float* scales = null) where TCode : struct, IColumnCode
    {
        uint* pairs = stackalloc uint[256];
        uint* turned = stackalloc uint[256];
        nint* lines = stackalloc nint[16];
        for (int i = 0; i < 16; i++) lines[i] = i * 16;
        for (int r = 0; r < rows; r += 32)
        {
            for (int c = 0; c < columns; c += 16)
            {
                for (int i = 0; i < 16; i++) Pair<TCode>(x + (r + 2 * i) * stride + c, stride, rows - r - 2 * i, scales + c).Store(pairs + i * 16);
                if (SquareTranspose.Has16) SquareTranspose.Of16((float*)pairs, lines, (float*)turned);
                else for (int i = 0; i < 256; i++) turned[i] = pairs[i % 16 * 16 + i / 16];
                for (int i = 0; i < 16; i++) Vector512.Load(turned + i * 16).Store((uint*)(codes + (c + i) * codeStride + r));
            }
        }
    }

    /// <summary>Columns as columns of panels, [row / 2][column][2]: rows are the depth, with zeros up to a multiple of sixteen.</summary>
    public static void Pairs<TCode>(float* x, nint stride, int rows, int columns, byte* panels, nint panelStride, float* scales = null) where TCode : struct, IColumnCode
    {
        int padded = (rows + 15) & ~15;
        for (int r = 0; r < padded; r += 2)
        {
            float* row = x + r * stride;
            byte* to = panels + r * 32;
            for (int c = 0; c < columns; c += 16, to += panelStride) Pair<TCode>(row + c, stride, rows - r, scales + c).Store((uint*)to);
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

    // Two rows as pairs; missing ones are zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Pair<TCode>(float* row, nint stride, int rows, float* scales) where TCode : struct, IColumnCode
    {
        if (rows <= 0) return Vector512<uint>.Zero;
        var even = TCode.Code(Vector512.Load(row), scales);
        return rows == 1 ? even : even | Vector512.ShiftLeft(TCode.Code(Vector512.Load(row + stride), scales), 16);
    }
}
