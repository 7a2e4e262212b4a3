using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>y = w ⊙ x·r, r = 1 / sqrt(mean(x²) + ε). The sum of squares goes over sixteen partial sums, column c into sum c mod 16.</summary>
internal unsafe struct RmsNormKernel : IKernel
{
    public Matrix X, Y;
    public float* W, InverseRms;
    public float Epsilon;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++)
        {
            double squares = 0;
            for (int c = 0; c < X.Columns; c++) squares += (double)X.Row(t)[c] * X.Row(t)[c];
            float r = (float)(1 / Math.Sqrt(squares / X.Columns + Epsilon));
            if (InverseRms != null) InverseRms[t] = r;
            for (int c = 0; c < X.Columns; c++) Y.Row(t)[c] = W[c] * (X.Row(t)[c] * r);
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int columns = X.Columns, whole = columns & ~15;
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++)
        {
            float* x = X.Row(t);
            float* y = Y.Row(t);
            var squares = TLanes.Zero;
            for (int c = 0; c < whole; c += 16)
            {
                var v = TLanes.Load(x + c);
                squares = TLanes.FusedMultiplyAdd(v, v, squares);
            }

            if (whole < columns)
            {
                var v = LaneExtensions.LoadPart<TLanes>(x + whole, columns - whole);
                squares = TLanes.FusedMultiplyAdd(v, v, squares);
            }

            float r = 1 / MathF.Sqrt(squares.Sum() / columns + Epsilon);
            if (InverseRms != null) InverseRms[t] = r;
            var scale = TLanes.Broadcast(r);
            for (int c = 0; c < whole; c += 16) TLanes.Store(TLanes.Load(W + c) * (TLanes.Load(x + c) * scale), y + c);
            for (int c = whole; c < columns; c++) y[c] = W[c] * (x[c] * r);
        }
    }
}

/// <summary>dx = r·(w ⊙ dy) - x·r³/D·Σ(w ⊙ dy ⊙ x).</summary>
internal unsafe struct RmsNormBackwardKernel : IKernel
{
    public Matrix X, DY, DX;
    public float* W, InverseRms;
    public bool Accumulate;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++)
        {
            double r = InverseRms[t], dot = 0;
            for (int c = 0; c < X.Columns; c++) dot += (double)W[c] * DY.Row(t)[c] * X.Row(t)[c];
            for (int c = 0; c < X.Columns; c++)
            {
                float dx = (float)(r * W[c] * DY.Row(t)[c] - X.Row(t)[c] * r * r * r / X.Columns * dot);
                DX.Row(t)[c] = Accumulate ? DX.Row(t)[c] + dx : dx;
            }
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int columns = X.Columns, whole = columns & ~15;
        for (int t = item * RowsPerItem; t < Math.Min(X.Rows, (item + 1) * RowsPerItem); t++)
        {
            float* x = X.Row(t);
            float* dy = DY.Row(t);
            float* dx = DX.Row(t);
            var sum = TLanes.Zero;
            for (int c = 0; c < whole; c += 16) sum = TLanes.FusedMultiplyAdd(TLanes.Load(W + c) * TLanes.Load(dy + c), TLanes.Load(x + c), sum);
            float dot = sum.Sum();
            for (int c = whole; c < columns; c++) dot = MathF.FusedMultiplyAdd(W[c] * dy[c], x[c], dot);
            float r = InverseRms[t], k = -(r * r * r) / columns * dot;
            var rs = TLanes.Broadcast(r);
            var ks = TLanes.Broadcast(k);
            for (int c = 0; c < whole; c += 16)
            {
                var v = TLanes.FusedMultiplyAdd(TLanes.Load(x + c), ks, TLanes.Load(W + c) * TLanes.Load(dy + c) * rs);
                TLanes.Store(Accumulate ? TLanes.Load(dx + c) + v : v, dx + c);
            }

            for (int c = whole; c < columns; c++)
            {
                float v = MathF.FusedMultiplyAdd(x[c], k, W[c] * dy[c] * r);
                dx[c] = Accumulate ? dx[c] + v : v;
            }
        }
    }
}

/// <summary>dw += Σ_t dy ⊙ x·r_t, t ascending; an item is sixteen columns.</summary>
internal unsafe struct RmsNormWeightBackwardKernel : IKernel
{
    public Matrix X, DY;
    public float* InverseRms, DW;

    public readonly void Reference(int item, int worker)
    {
        for (int c = item * 16; c < Math.Min(X.Columns, item * 16 + 16); c++)
        {
            double sum = DW[c];
            for (int t = 0; t < X.Rows; t++) sum += (double)DY.Row(t)[c] * X.Row(t)[c] * InverseRms[t];
            DW[c] = (float)sum;
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int first = item * 16, count = Math.Min(16, X.Columns - first);
        if (count == 16)
        {
            var sum = TLanes.Load(DW + first);
            for (int t = 0; t < X.Rows; t++)
            {
                sum = TLanes.FusedMultiplyAdd(TLanes.Load(DY.Row(t) + first), TLanes.Load(X.Row(t) + first) * TLanes.Broadcast(InverseRms[t]), sum);
            }

            TLanes.Store(sum, DW + first);
            return;
        }

        for (int c = first; c < first + count; c++)
        {
            float sum = DW[c];
            for (int t = 0; t < X.Rows; t++) sum = MathF.FusedMultiplyAdd(DY.Row(t)[c], X.Row(t)[c] * InverseRms[t], sum);
            DW[c] = sum;
        }
    }
}
