namespace Hadal.Numerics.Kernels;

/// <content>The assembled form.</content>
internal static unsafe partial class PanelGemm
{
    private static void RunAssembled512(in PanelProblem p, in Tile tile)
    {
        if (tile.Rows >= LeastTileRows && p.Format.HasByteActivations && HasTileKernels(p.Format) && PanelTiles.Refusal is null)
        {
            RunOnTiles<PanelTiles.HardwareTiles>(p, tile);
            return;
        }

        var scratch = PanelScratch.Current;
        var format = p.Format;
        if (tile.Rows <= ThinRows)
        {
            bool unpack = format.Unpacked != format && tile.Rows > DecodedInPlaceRows;
            int width = ThinPanels(format, tile.Rows);
            for (int column = 0; column < tile.Columns; column += width * 16)
            {
                while (width > 1 && width * 16 > tile.Columns - column + 15) width /= 2;
                RunColumns(p, tile, column, Math.Min(width * 16, tile.Columns - column), unpack, scratch, width);
            }

            return;
        }

        bool unpacked = format.Unpacked != format;
        // Unpacked panels are twice as large; rows of FP32 are, too.
        int step = Math.Max(1, (unpacked || format.HasSingleActivations ? UnpackedDepth : BlockDepth) / format.Block);
        for (int block = 0; block < p.Blocks; block += step)
        {
            int blocks = Math.Min(step, p.Blocks - block);
            RunBlocks(p, tile, block, blocks, unpacked, scratch);
        }
    }

    private static int ThinPanels(in PanelFormat format, int rows) => KernelRows(rows, MaxKernelRows) <= (format.Element == PanelElement.E4M3 ? 6 : 4) ? 4 : 2;

    // Kernels of nearly equal height.
    private static int KernelRows(int rows, int most)
    {
        int kernels = (rows + most - 1) / most;
        return (rows + kernels - 1) / kernels;
    }

    // A few panels over all k, for all rows: the panels come from memory once.
    private static void RunColumns(in PanelProblem p, in Tile tile, int column, int columns, bool unpack, PanelScratch scratch, int panels)
    {
        var format = p.Format;
        int step = p.Blocks;
        if (unpack) step = Math.Max(format.SuperBlock, Math.Min(step, PanelScratch.RightBytes / (format.Unpacked.BlockBytes * panels) / format.SuperBlock * format.SuperBlock));
        for (int block = 0; block < p.Blocks; block += step)
        {
            int blocks = Math.Min(step, p.Blocks - block);
            var call = Call(p, block, blocks);
            byte* right = p.Right + (tile.Column + column) / 16 * p.PanelBytes + format.Offset(block);
            if (unpack)
            {
                PanelUnpacking.Run(format, right, p.PanelBytes, blocks, (columns + 15) / 16, scratch.Right);
                right = scratch.Right;
                call.PanelStride = (nint)blocks * format.Unpacked.BlockBytes;
            }

            call.Right = right;
            int height = KernelRows(tile.Rows, MaxKernelRows);
            for (int row = 0; row < tile.Rows; row += height)
            {
                var part = tile with { Row = tile.Row + row, Rows = Math.Min(height, tile.Rows - row) };
                SetRows(p, part, block, ref call);
                RunKernel(p, part, call, unpack ? format.Unpacked : format, KernelForm.Assembled512, column, columns, panels, scratch, streaming: !unpack && row == 0);
            }
        }
    }

    // A block of k for all columns of the tile: one kernel height of activations stays in the first-level cache while the panels run past it.
    private static void RunBlocks(in PanelProblem p, in Tile tile, int block, int blocks, bool unpack, PanelScratch scratch)
    {
        var format = p.Format;
        var used = unpack ? format.Unpacked : format;
        var call = Call(p, block, blocks);
        byte* right = p.Right + tile.Column / 16 * p.PanelBytes + format.Offset(block);
        if (unpack)
        {
            PanelUnpacking.Run(format, right, p.PanelBytes, blocks, (tile.Columns + 15) / 16, scratch.Right);
            right = scratch.Right;
            call.PanelStride = (nint)blocks * used.BlockBytes;
        }

        // Kernels take less than a microsecond: what can be looked up once is not looked up for each.
        int height = KernelRows(tile.Rows, MaxKernelRows), whole = tile.Columns & ~31;
        var kernel = PanelKernels.Get(KernelForm.Assembled512, used, height, 2, streaming: false);
        call.CStride = p.Ldc * sizeof(float);
        for (int row = 0; row < tile.Rows; row += height)
        {
            int rows = Math.Min(height, tile.Rows - row);
            if (rows < height) kernel = PanelKernels.Get(KernelForm.Assembled512, used, rows, 2, streaming: false);
            var part = tile with { Row = tile.Row + row, Rows = rows };
            SetRows(p, part, block, ref call);
            call.Right = right;
            call.C = p.C + part.Row * p.Ldc + part.Column;
            for (int column = 0; column < whole; column += 32, call.C += 32, call.Right += 2 * call.PanelStride) kernel(&call);
            if (whole == tile.Columns) continue;
            int columns = tile.Columns - whole;
            RunKernel(p, part, call, used, KernelForm.Assembled512, whole, columns, columns > 16 ? 2 : 1, scratch, streaming: false);
        }
    }

    private static PanelCall Call(in PanelProblem p, int block, int blocks) => new()
    {
        LeftStride = p.LeftStride,
        ValueStride = p.ValueStride * sizeof(ActivationBlock),
        PanelStride = p.PanelBytes,
        Blocks = blocks,
        Accumulate = p.Accumulate || block > 0 ? 1 : 0,
        Constants = E4M3Codes.Tables,
    };

    private static void SetRows(in PanelProblem p, in Tile tile, int block, ref PanelCall call)
    {
        call.Left = p.Left + tile.Row * p.LeftStride + (nint)block * p.Format.Block * p.Format.ActivationSize;
        call.Values = p.Values + tile.Row * p.ValueStride + block;
    }

    private static void RunKernel(
        in PanelProblem p, in Tile part, PanelCall call, in PanelFormat format, KernelForm form, int column, int columns, int panels, PanelScratch scratch, bool streaming)
    {
        var kernel = PanelKernels.Get(form, format, part.Rows, panels, streaming);
        float* c = p.C + part.Row * p.Ldc + part.Column + column;
        if (columns == panels * 16)
        {
            call.C = c;
            call.CStride = p.Ldc * sizeof(float);
            kernel(&call);
            return;
        }

        // At the right border the kernel works on a copy.
        int width = panels * 16;
        call.C = scratch.Corner;
        call.CStride = width * sizeof(float);
        for (int r = 0; r < part.Rows && call.Accumulate != 0; r++) new ReadOnlySpan<float>(c + r * p.Ldc, columns).CopyTo(new Span<float>(scratch.Corner + r * width, columns));
        kernel(&call);
        for (int r = 0; r < part.Rows; r++) new ReadOnlySpan<float>(scratch.Corner + r * width, columns).CopyTo(new Span<float>(c + r * p.Ldc, columns));
    }
}
