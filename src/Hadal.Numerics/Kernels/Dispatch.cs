using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>y[s] = x[indices[s] / divisor].</summary>
internal unsafe struct GatherRowsKernel : IKernel
{
    public Matrix X, Y;
    public int* Indices;
    public int Divisor, RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int s = item * RowsPerItem; s < Math.Min(Y.Rows, (item + 1) * RowsPerItem); s++)
        {
            new ReadOnlySpan<float>(X.Row(Indices[s] / Divisor), Y.Columns).CopyTo(new Span<float>(Y.Row(s), Y.Columns));
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);
}

/// <summary>y[t] (+)= Σ_c x[rows[t·C + c]], c ascending.</summary>
internal unsafe struct CombineRowsKernel : IKernel
{
    public Matrix X, Y;
    public int* RowOf;
    public int Choices, RowsPerItem;
    public bool Accumulate;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(Y.Rows, (item + 1) * RowsPerItem); t++)
        {
            for (int column = 0; column < Y.Columns; column++)
            {
                float sum = Accumulate ? Y.Row(t)[column] : 0;
                for (int c = 0; c < Choices; c++) sum += X.Row(RowOf[t * Choices + c])[column];
                Y.Row(t)[column] = sum;
            }
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        for (int t = item * RowsPerItem; t < Math.Min(Y.Rows, (item + 1) * RowsPerItem); t++)
        {
            var y = new Span<float>(Y.Row(t), Y.Columns);
            if (!Accumulate) y.Clear();
            for (int c = 0; c < Choices; c++) AddKernel.AddRow<TLanes>(X.Row(RowOf[t * Choices + c]), Y.Row(t), Y.Columns);
        }
    }
}

/// <summary>A stable counting sort of (token, choice) slots by expert. Linear and small: one thread.</summary>
internal static unsafe class ExpertSort
{
    public static void Run(int* experts, int slots, int* offsets, int expertCount, int* slotOf, int* rowOf)
    {
        new Span<int>(offsets, expertCount + 1).Clear();
        for (int s = 0; s < slots; s++) offsets[experts[s] + 1]++;
        for (int e = 0; e < expertCount; e++) offsets[e + 1] += offsets[e];

        // offsets[e] runs ahead while the rows of e are filled and is then its successor's start: shift back at the end.
        for (int s = 0; s < slots; s++)
        {
            int row = offsets[experts[s]]++;
            slotOf[row] = s;
            rowOf[s] = row;
        }

        for (int e = expertCount; e > 0; e--) offsets[e] = offsets[e - 1];
        offsets[0] = 0;
    }
}
