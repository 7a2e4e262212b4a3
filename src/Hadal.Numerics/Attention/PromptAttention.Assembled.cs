namespace Hadal.Numerics.Kernels;

/// <content>Products by the panel kernels: queries, or weights, are their rows; keys, or values, their panels.</content>
internal unsafe partial struct PromptAttentionKernel
{
    private readonly void Score(byte* panels, int query, int rows, int keys, in PromptWork work)
    {
        nint stride = PromptWork.QueryStride(Shape);
        int width = Width(rows);
        var kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
        var call = new PanelCall
        {
            Left = work.Queries + query * stride,
            LeftStride = stride,
            PanelStride = Shape.KeyStride,
            CStride = PromptShape.ScoreStride * sizeof(float),
            Blocks = Shape.Depth / PanelFormat.BFloat16.Block,
        };
        // A block always has room for 256 keys: scores of those that are not there are never looked at.
        for (int key = 0; key < keys; key += width * 16)
        {
            call.Right = panels + key / 16 * (nint)Shape.KeyStride;
            call.C = work.Scores + key;
            kernel(&call);
        }
    }

    private readonly void AddValues(byte* values, int query, int rows, int keys, bool accumulate, in PromptWork work)
    {
        var call = new PanelCall
        {
            Left = work.Weights,
            LeftStride = PromptShape.ScoreStride * sizeof(ushort),
            PanelStride = Shape.ValueStride,
            CStride = Shape.ValueColumns * sizeof(float),
            Blocks = (keys + 15) / PanelFormat.BFloat16.Block,
            Accumulate = accumulate ? 1 : 0,
        };
        int width = Width(rows);
        var kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
        for (int column = 0; column < Shape.ValueColumns; column += width * 16)
        {
            if (width * 16 > Shape.ValueColumns - column)
            {
                width = Shape.ValueColumns - column >= 32 ? 2 : 1;
                kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
            }

            call.Right = values + column / 16 * (nint)Shape.ValueStride;
            call.C = work.Output + (nint)query * Shape.ValueColumns + column;
            kernel(&call);
        }
    }

    // Enough sums to hide the time that one takes.
    private static int Width(int rows) => rows <= 6 ? 4 : 2;
}
