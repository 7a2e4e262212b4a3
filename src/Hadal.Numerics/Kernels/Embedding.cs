using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>y[t] = table[ids[t]].</summary>
internal unsafe struct EmbedKernel : IKernel
{
    public byte* Table;
    public nint TableStride;
    public DType Type;
    public BlockFormat? Blocks;
    public int* Ids;
    public Matrix Y;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(Y.Rows, (item + 1) * RowsPerItem); t++) Fetch(t);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);

    private readonly void Fetch(int t)
    {
        float* y = Y.Row(t);
        byte* row = Table + Ids[t] * TableStride * Type.SizeOf();
        if (Blocks is { } blocks) blocks.Decode(new ReadOnlySpan<byte>(row, (int)blocks.BytesFor(Y.Columns)), new Span<float>(y, Y.Columns));
        else if (Type == DType.BF16) BFloat16.Widen((ushort*)row, y, Y.Columns);
        else if (Type == DType.F32) new ReadOnlySpan<float>(row, Y.Columns).CopyTo(new Span<float>(y, Y.Columns));
        else for (int i = 0; i < Y.Columns; i++) y[i] = (float)((Half*)row)[i];
    }
}

/// <summary>dTable[ids[t]] += dy[t], t ascending; an item is a block of columns, so that threads never meet in a row.</summary>
internal unsafe struct EmbedWeightBackwardKernel : IKernel
{
    public const int ColumnsPerItem = 64;
    public Matrix DY, DTable;
    public int* Ids;

    public readonly void Reference(int item, int worker)
    {
        int first = item * ColumnsPerItem, end = Math.Min(DY.Columns, first + ColumnsPerItem);
        for (int t = 0; t < DY.Rows; t++)
        {
            float* to = DTable.Row(Ids[t]);
            float* from = DY.Row(t);
            for (int c = first; c < end; c++) to[c] += from[c];
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int first = item * ColumnsPerItem, count = Math.Min(DY.Columns - first, ColumnsPerItem);
        for (int t = 0; t < DY.Rows; t++) AddKernel.AddRow<TLanes>(DY.Row(t) + first, DTable.Row(Ids[t]) + first, count);
    }
}

/// <summary>y += x.</summary>
internal unsafe struct AddKernel : IKernel
{
    public Matrix X, Y;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++)
        {
            for (int c = 0; c < X.Columns; c++) Y.Row(t)[c] += X.Row(t)[c];
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++) AddRow<TLanes>(X.Row(t), Y.Row(t), X.Columns);
    }

    public static void AddRow<TLanes>(float* x, float* y, int count) where TLanes : struct, ILanes<TLanes>
    {
        int whole = count & ~15;
        for (int c = 0; c < whole; c += 16) TLanes.Store(TLanes.Load(y + c) + TLanes.Load(x + c), y + c);
        for (int c = whole; c < count; c++) y[c] += x[c];
    }
}
