namespace Hadal.Numerics.Kernels;

/// <content>The assembled form on 256-bit registers: six rows by one panel, or fewer rows by two or four; activations are widened just before they are used.</content>
internal static unsafe partial class PanelGemm
{
    // FP32 rows of a kernel's height stay in a first-level cache of 32 KB while panels run past them.
    private const int WidenedDepth = 512;

    // k are cut in multiples of this many, which no block or group of blocks reaches over.
    private const int StepDepth = 256;

    private static void RunAssembled256(in PanelProblem p, in Tile tile, KernelForm form)
    {
        bool hasByteDot = form == KernelForm.Assembled256, isWidened = WidenedRows.Size(p.Format, hasByteDot) != p.Format.ActivationSize;
        if (tile.Rows <= ThinRows) RunThin256(p, tile, form, isWidened ? WidenedRows.Blocks(p.Format, tile.Rows, hasByteDot) : p.Blocks, isWidened);
        else RunWide256(p, tile, form, isWidened);
    }

    private static int Panels256(int rows) => rows == 1 ? 4 : rows <= 3 ? 2 : 1;

    // Panels come from memory once, as many k at a time as there is room for the rows.
    private static void RunThin256(in PanelProblem p, in Tile tile, KernelForm form, int step, bool isWidened)
    {
        var scratch = PanelScratch.Current;
        var format = p.Format;
        bool unpack = format.Unpacked != format && (tile.Rows > PanelKernelCode256.MaxRows || !PanelKernelCode256.Supports(format));
        int height = KernelRows(tile.Rows, PanelKernelCode256.MaxRows), most = Panels256(height);
        if (unpack) step = Math.Min(step, PanelScratch.RightBytes / (format.Unpacked.BlockBytes * most));
        if (step < p.Blocks) step = Math.Max(StepDepth, step * format.Block / StepDepth * StepDepth) / format.Block;
        for (int block = 0; block < p.Blocks; block += step)
        {
            int blocks = Math.Min(step, p.Blocks - block);
            var call = Call(p, block, blocks);
            if (isWidened) WidenedRows.Current.Fill(p, tile.Row, tile.Rows, block, blocks, ref call);
            byte* left = isWidened ? call.Left : p.Left + tile.Row * p.LeftStride + (nint)block * format.Block * format.ActivationSize;
            int panels = most;
            for (int column = 0; column < tile.Columns; column += panels * 16)
            {
                while (panels > 1 && panels * 16 > tile.Columns - column + 15) panels /= 2;
                int columns = Math.Min(panels * 16, tile.Columns - column);
                call.Right = p.Right + (tile.Column + column) / 16 * p.PanelBytes + (nint)format.PanelBytes(block * format.Block);
                if (unpack)
                {
                    PanelUnpacking.Run(format, call.Right, p.PanelBytes, blocks, (columns + 15) / 16, scratch.Right);
                    call.Right = scratch.Right;
                    call.PanelStride = (nint)blocks * format.Unpacked.BlockBytes;
                }

                for (int row = 0; row < tile.Rows; row += height)
                {
                    var part = tile with { Row = tile.Row + row, Rows = Math.Min(height, tile.Rows - row) };
                    call.Left = left + row * call.LeftStride;
                    call.Values = p.Values + part.Row * p.ValueStride + block;
                    RunKernel(p, part, call, unpack ? format.Unpacked : format, form, column, columns, panels, scratch, streaming: !unpack && row == 0);
                }
            }
        }
    }

    // A block of k for all columns of the tile stays in the second-level cache; one kernel height of rows after the other runs along it.
    private static void RunWide256(in PanelProblem p, in Tile tile, KernelForm form, bool isWidened)
    {
        var scratch = PanelScratch.Current;
        var format = p.Format;
        bool unpack = format.Unpacked != format;
        var used = format.Unpacked;
        int step = (unpack || isWidened ? WidenedDepth : BlockDepth) / format.Block, height = KernelRows(tile.Rows, PanelKernelCode256.MaxRows);
        for (int block = 0; block < p.Blocks; block += step)
        {
            int blocks = Math.Min(step, p.Blocks - block);
            var call = Call(p, block, blocks);
            byte* right = p.Right + tile.Column / 16 * p.PanelBytes + (nint)format.PanelBytes(block * format.Block);
            if (unpack)
            {
                PanelUnpacking.Run(format, right, p.PanelBytes, blocks, (tile.Columns + 15) / 16, scratch.Right);
                right = scratch.Right;
                call.PanelStride = (nint)blocks * used.BlockBytes;
            }

            for (int row = 0; row < tile.Rows; row += height)
            {
                var part = tile with { Row = tile.Row + row, Rows = Math.Min(height, tile.Rows - row) };
                SetRows(p, part, block, ref call);
                if (isWidened) WidenedRows.Current.Fill(p, part.Row, part.Rows, block, blocks, ref call);
                for (int column = 0; column < tile.Columns; column += 16)
                {
                    call.Right = right + column / 16 * call.PanelStride;
                    RunKernel(p, part, call, used, form, column, Math.Min(16, tile.Columns - column), 1, scratch, streaming: false);
                }
            }
        }
    }
}
