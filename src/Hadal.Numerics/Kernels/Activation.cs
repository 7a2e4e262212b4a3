using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>y = g·silu(gate) ⊙ up with silu(x) = x·sigmoid(x) and a factor g per row.</summary>
internal unsafe struct SwiGluKernel : IKernel
{
    public Matrix GateUp, Y;
    public float* RowScale;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        int width = Y.Columns;
        for (int s = item * RowsPerItem; s < Math.Min(Y.Rows, (item + 1) * RowsPerItem); s++)
        {
            float* gate = GateUp.Row(s);
            float scale = RowScale == null ? 1 : RowScale[s];
            for (int c = 0; c < width; c++) Y.Row(s)[c] = gate[c] * LaneMath.Sigmoid(gate[c]) * gate[width + c] * scale;
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int width = Y.Columns, whole = width & ~15;
        for (int s = item * RowsPerItem; s < Math.Min(Y.Rows, (item + 1) * RowsPerItem); s++)
        {
            float* gate = GateUp.Row(s);
            float* up = gate + width;
            float* y = Y.Row(s);
            var scale = TLanes.Broadcast(RowScale == null ? 1 : RowScale[s]);
            for (int c = 0; c < whole; c += 16)
            {
                var g = TLanes.Load(gate + c);
                TLanes.Store(g * LaneMath.Sigmoid(g) * TLanes.Load(up + c) * scale, y + c);
            }

            if (whole == width) continue;
            var tail = LaneExtensions.LoadPart<TLanes>(gate + whole, width - whole);
            var value = tail * LaneMath.Sigmoid(tail) * LaneExtensions.LoadPart<TLanes>(up + whole, width - whole) * scale;
            LaneExtensions.StorePart(value, y + whole, width - whole);
        }
    }
}

/// <summary>With σ = sigmoid(gate): dgate = dy·g·up·σ·(1 + gate·(1 - σ)), dup = dy·g·gate·σ, dg = Σ dy ⊙ silu(gate) ⊙ up.</summary>
internal unsafe struct SwiGluBackwardKernel : IKernel
{
    public Matrix GateUp, DY, DGateUp;
    public float* RowScale, DRowScale;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        int width = DY.Columns;
        for (int s = item * RowsPerItem; s < Math.Min(DY.Rows, (item + 1) * RowsPerItem); s++)
        {
            float* gate = GateUp.Row(s);
            float* up = gate + width;
            float scale = RowScale == null ? 1 : RowScale[s];
            double dScale = 0;
            for (int c = 0; c < width; c++)
            {
                float dy = DY.Row(s)[c], sigma = LaneMath.Sigmoid(gate[c]);
                DGateUp.Row(s)[c] = dy * scale * up[c] * sigma * (1 + gate[c] * (1 - sigma));
                DGateUp.Row(s)[width + c] = dy * scale * gate[c] * sigma;
                dScale += (double)dy * gate[c] * sigma * up[c];
            }

            if (DRowScale != null) DRowScale[s] = (float)dScale;
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int width = DY.Columns, whole = width & ~15;
        for (int s = item * RowsPerItem; s < Math.Min(DY.Rows, (item + 1) * RowsPerItem); s++)
        {
            float* gate = GateUp.Row(s);
            float* dGate = DGateUp.Row(s);
            float* dy = DY.Row(s);
            var scale = TLanes.Broadcast(RowScale == null ? 1 : RowScale[s]);
            var sum = TLanes.Zero;
            for (int c = 0; c < whole; c += 16)
            {
                sum = Step(TLanes.Load(gate + c), TLanes.Load(gate + width + c), TLanes.Load(dy + c), scale, sum, out var dg, out var du);
                TLanes.Store(dg, dGate + c);
                TLanes.Store(du, dGate + width + c);
            }

            if (whole < width)
            {
                int count = width - whole;
                sum = Step(
                    LaneExtensions.LoadPart<TLanes>(gate + whole, count), LaneExtensions.LoadPart<TLanes>(gate + width + whole, count),
                    LaneExtensions.LoadPart<TLanes>(dy + whole, count), scale, sum, out var dg, out var du);
                LaneExtensions.StorePart(dg, dGate + whole, count);
                LaneExtensions.StorePart(du, dGate + width + whole, count);
            }

            if (DRowScale != null) DRowScale[s] = sum.Sum();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Step<TLanes>(TLanes gate, TLanes up, TLanes dy, TLanes scale, TLanes sum, out TLanes dGate, out TLanes dUp)
        where TLanes : struct, ILanes<TLanes>
    {
        var sigma = LaneMath.Sigmoid(gate);
        var silu = gate * sigma;
        var scaled = dy * scale;
        dUp = scaled * silu;
        dGate = scaled * up * TLanes.FusedMultiplyAdd(silu, TLanes.Broadcast(1f) - sigma, sigma);
        return TLanes.FusedMultiplyAdd(dy * silu, up, sum);
    }
}
