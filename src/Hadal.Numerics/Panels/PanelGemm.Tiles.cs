using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>How a kernel on tiles is run.</summary>
internal unsafe interface ITileKernel
{
    /// <summary>Runs the kernel of a size.</summary>
    /// <param name="format">The panels' format.</param>
    /// <param name="rows">1 … 32.</param>
    /// <param name="panels">1 or 2.</param>
    /// <param name="call">What to multiply.</param>
    static abstract void Run(in PanelFormat format, int rows, int panels, PanelCall* call);
}

/// <content>Tiles, where the processor has them: blocks as in the wide form, 32 rows by two panels at a time. For bytes they are one more form, for bfloat16 a contract of its own.</content>
internal static unsafe partial class PanelGemm
{
    /// <summary>From so many rows on tiles are used: with fewer, most of a tile would be empty.</summary>
    public const int LeastTileRows = 16;

    /// <summary>Whether tiles can multiply by a format's panels.</summary>
    public static bool HasTileKernels(in PanelFormat format) => PanelTileCode.Supports(format.Unpacked);

    /// <summary>A whole product on tiles on the calling thread.</summary>
    public static void RunOnTiles<TKernel>(in PanelProblem p) where TKernel : struct, ITileKernel => RunOnTiles<TKernel>(p, new Tile(0, p.M, 0, p.N));

    private static void RunOnTiles<TKernel>(in PanelProblem p, in Tile tile) where TKernel : struct, ITileKernel
    {
        var scratch = PanelScratch.Current;
        var format = p.Format;
        bool unpack = format.Unpacked != format;
        int step = (unpack ? UnpackedDepth : BlockDepth) / format.Block, height = KernelRows(tile.Rows, PanelTileCode.MaxRows);
        for (int column = 0; column < tile.Columns; column += TileColumns)
        {
            int columns = Math.Min(TileColumns, tile.Columns - column);
            for (int block = 0; block < p.Blocks; block += step)
            {
                int blocks = Math.Min(step, p.Blocks - block);
                var call = Call(p, block, blocks);
                call.Constants = scratch.TileSums;
                byte* right = p.Right + (tile.Column + column) / 16 * p.PanelBytes + (nint)format.PanelBytes(block * format.Block);
                if (unpack)
                {
                    PanelUnpacking.Run(format, right, p.PanelBytes, blocks, (columns + 15) / 16, scratch.Right);
                    right = scratch.Right;
                    call.PanelStride = (nint)blocks * format.Unpacked.BlockBytes;
                }

                for (int row = 0; row < tile.Rows; row += height)
                {
                    var part = tile with { Row = tile.Row + row, Rows = Math.Min(height, tile.Rows - row) };
                    SetRows(p, part, block, ref call);
                    for (int offset = 0; offset < columns; offset += 32)
                    {
                        call.Right = right + offset / 16 * call.PanelStride;
                        RunTileKernel<TKernel>(p, part, call, column + offset, Math.Min(32, columns - offset), scratch);
                    }
                }
            }
        }
    }

    // The contract of bfloat16 in tiles, element by element.
    private static float ElementInTiles(in PanelProblem p, int m, int n, float c)
    {
        var format = p.Format;
        var codes = (ushort*)(p.Left + m * p.LeftStride);
        byte* block = p.Right + n / 16 * p.PanelBytes;
        for (int b = 0; b < p.Blocks; b++, block += format.BlockBytes, codes += format.Block)
        {
            float even = 0, odd = 0;
            for (int k = 0; k < format.Block; k += 2)
            {
                even = MathF.FusedMultiplyAdd(BFloat16.ToSingle(codes[k]), PanelCodes.Value(format, block, k, n % 16), even);
                odd = MathF.FusedMultiplyAdd(BFloat16.ToSingle(codes[k + 1]), PanelCodes.Value(format, block, k + 1, n % 16), odd);
            }

            c += even + odd;
        }

        return c;
    }

    private static void RunTileKernel<TKernel>(in PanelProblem p, in Tile part, PanelCall call, int column, int columns, PanelScratch scratch)
        where TKernel : struct, ITileKernel
    {
        int panels = (columns + 15) / 16, width = panels * 16;
        float* c = p.C + part.Row * p.Ldc + part.Column + column;
        if (columns == width)
        {
            call.C = c;
            call.CStride = p.Ldc * sizeof(float);
            TKernel.Run(p.Format.Unpacked, part.Rows, panels, &call);
            return;
        }

        // At the right border the kernel works on a copy.
        call.C = scratch.Corner;
        call.CStride = width * sizeof(float);
        if (call.Accumulate != 0) CopyRows(c, p.Ldc, scratch.Corner, width, part.Rows, columns);
        TKernel.Run(p.Format.Unpacked, part.Rows, panels, &call);
        CopyRows(scratch.Corner, width, c, p.Ldc, part.Rows, columns);
    }
}
