using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <content>
/// The portable form: codes become FP32 panels and rows in scratch, in the order in which the contract adds them, and the FP32 micro-kernels multiply. Integer sums
/// are exact in FP32.
/// </content>
internal static unsafe partial class PanelGemm
{
    private static void RunVector<V>(in PanelProblem p, in Tile tile)
        where V : struct, ILanes<V>
    {
        var scratch = GemmScratch.Current;
        int step = Math.Max(1, Gemm.BlockDepth / p.Format.Block);
        for (int column = 0; column < tile.Columns; column += Gemm.BlockColumns)
        {
            int columns = Math.Min(Gemm.BlockColumns, tile.Columns - column);
            for (int block = 0; block < p.Blocks; block += step)
            {
                int blocks = Math.Min(step, p.Blocks - block), depth = blocks * p.Format.Block;
                for (int j = 0; j < columns; j += 16)
                    DecodePanel(p, p.Right + (tile.Column + column + j) / 16 * p.PanelBytes + p.Format.Offset(block), blocks, scratch.Right + (nint)j * depth);
                for (int row = 0; row < tile.Rows; row += Gemm.BlockRows)
                {
                    int rows = Math.Min(Gemm.BlockRows, tile.Rows - row);
                    for (int r = 0; r < rows; r++) DecodeRow(p, tile.Row + row + r, block, depth, scratch.Left + r * GemmScratch.RowStride);
                    MultiplyDecoded<V>(p, new Tile(tile.Row + row, rows, tile.Column + column, columns), block, blocks, scratch);
                }
            }
        }
    }

    private static void MultiplyDecoded<V>(in PanelProblem p, in Tile part, int block, int blocks, GemmScratch scratch)
        where V : struct, ILanes<V>
    {
        bool scaled = p.Format.ScaleSize > 0, accumulate = p.Accumulate || block > 0;
        int depth = blocks * p.Format.Block;
        float* scales = stackalloc float[blocks * 16];
        float* minima = stackalloc float[blocks * 16];
        float* dots = stackalloc float[MaxKernelRows * 16];
        for (int j = 0; j < part.Columns; j += 16)
        {
            int columns = Math.Min(16, part.Columns - j);
            if (scaled) DecodeScales(p, p.Right + (part.Column + j) / 16 * p.PanelBytes + p.Format.Offset(block), blocks, scales, minima);
            for (int row = 0; row < part.Rows; row += GemmKernels<V>.Rows)
            {
                int rows = Math.Min(GemmKernels<V>.Rows, part.Rows - row);
                float* c = p.C + (part.Row + row) * p.Ldc + part.Column + j;
                var call = new KernelCall
                {
                    Left = scratch.Left + row * GemmScratch.RowStride,
                    LeftStep = 1,
                    Right = (byte*)(scratch.Right + (nint)j * depth),
                    RightStep = 16 * sizeof(float),
                    C = dots,
                    Ldc = 16,
                    Depth = scaled ? p.Format.Block : depth,
                    Accumulate = !scaled && accumulate,
                };
                if (!scaled)
                {
                    if (accumulate) CopyRows(c, p.Ldc, dots, 16, rows, columns);
                    GemmKernels<V>.RunWide<CopiedRows>(rows, 1, call);
                    CopyRows(dots, 16, c, p.Ldc, rows, columns);
                    continue;
                }

                for (int b = 0; b < blocks; b++)
                {
                    GemmKernels<V>.RunWide<CopiedRows>(rows, 1, call);
                    for (int r = 0; r < rows; r++)
                    {
                        var values = p.Values[(part.Row + row + r) * p.ValueStride + block + b];
                        AddScaled<V>(
                            dots + r * 16, scales + b * 16, p.Format.HasMinimum ? minima + b * 16 : null, values, c + r * p.Ldc, columns, accumulate || b > 0);
                    }

                    call.Left += p.Format.Block;
                    call.Right += p.Format.Block * call.RightStep;
                }
            }
        }
    }

    private static void AddScaled<V>(float* dot, float* scale, float* minimum, in ActivationBlock values, float* c, int columns, bool accumulate)
        where V : struct, ILanes<V>
    {
        var before = !accumulate ? V.Zero : columns == 16 ? V.Load(c) : LaneExtensions.LoadPart<V>(c, columns);
        var sum = V.FusedMultiplyAdd(V.Load(dot), V.Load(scale) * V.Broadcast(values.Scale), before);
        if (minimum != null) sum = V.FusedMultiplyAdd(V.Zero - V.Load(minimum), V.Broadcast(values.Sum), sum);
        if (columns == 16) V.Store(sum, c);
        else LaneExtensions.StorePart(sum, c, columns);
    }

    private static void CopyRows(float* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        for (int r = 0; r < rows; r++)
            new ReadOnlySpan<float>(source + r * sourceStride, columns).CopyTo(new Span<float>(destination + r * destinationStride, columns));
    }

    // Codes to FP32 [k][16]; the two k of a bfloat16 pair change places. What starts here starts at a super-block.
    private static void DecodePanel(in PanelProblem p, byte* panel, int blocks, float* destination)
    {
        var format = p.Format;
        if (format.Element == PanelElement.Float16)
        {
            for (int i = 0; i < blocks * format.Block * 16; i++) destination[i] = (float)((Half*)panel)[i];
            return;
        }

        int swap = format.HasByteActivations ? 0 : 1;
        float* byteValues = stackalloc float[256];
        if (format.Element != PanelElement.BFloat16)
        {
            for (int code = 0; code < 256; code++) byteValues[code] = format.Element == PanelElement.E4M3 ? Float8E4M3.ToSingle((byte)code) : code - format.ZeroPoint;
        }

        for (int b = 0; b < blocks; b++, destination += format.Block * 16)
        {
            byte* block = panel + format.Offset(b);
            if (format.HighBits > 0)
            {
                for (int i = 0; i < format.Block * 16; i++) destination[i] = PanelCodes.Value(format, block, i / 16, i % 16);
                continue;
            }

            if (format.Element == PanelElement.BFloat16)
            {
                for (int pair = 0; pair < format.Block / 2; pair++)
                {
                    var codes = (uint*)(block + pair * 64);
                    uint* odd = (uint*)(destination + pair * 32), even = odd + 16;
                    for (int column = 0; column < 16; column++)
                    {
                        odd[column] = codes[column] & 0xFFFF0000;
                        even[column] = codes[column] << 16;
                    }
                }

                continue;
            }

            for (int k = 0; k < format.Block; k++)
            {
                float* row = destination + (k ^ swap) * 16;
                for (int column = 0; column < 16; column++)
                {
                    int code = block[PanelCodes.Offset(format.Element, k, column)];
                    if (format.Element == PanelElement.Nibble) code = k % 8 < 4 ? code & 15 : code >> 4;
                    row[column] = byteValues[code];
                }
            }
        }
    }

    private static void DecodeScales(in PanelProblem p, byte* panel, int blocks, float* scales, float* minima)
    {
        for (int b = 0; b < blocks; b++)
        {
            for (int column = 0; column < 16; column++)
            {
                scales[b * 16 + column] = PanelCodes.Scale(p.Format, panel, b, column);
                minima[b * 16 + column] = PanelCodes.Minimum(p.Format, panel, b, column);
            }
        }
    }

    private static void DecodeRow(in PanelProblem p, int row, int block, int depth, float* destination)
    {
        byte* source = p.Left + row * p.LeftStride + (nint)block * p.Format.Block * p.Format.ActivationSize;
        if (p.Format.HasByteActivations)
        {
            for (int k = 0; k < depth; k++) destination[k] = ((sbyte*)source)[k];
            return;
        }

        if (p.Format.HasSingleActivations)
        {
            new ReadOnlySpan<float>(source, depth).CopyTo(new Span<float>(destination, depth));
            return;
        }

        for (int k = 0; k < depth; k++) destination[k ^ 1] = BFloat16.ToSingle(((ushort*)source)[k]);
    }
}
