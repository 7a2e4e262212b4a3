using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Cross-entropy of one row per item: log Σ e^x - x[label], and w·(softmax - onehot) in place of the logits.</summary>
/// <remarks>The sum of exponentials runs over sixteen partial sums per block of 2,048 columns; blocks are added in FP64.</remarks>
internal unsafe struct CrossEntropyKernel : IKernel
{
    private const int Block = 2048;
    public Matrix Logits;
    public int* Labels;
    public float* Loss;
    public float GradientWeight;
    public bool Gradient;

    public readonly void Reference(int item, int worker)
    {
        float* x = Logits.Row(item);
        int label = Labels[item], columns = Logits.Columns;
        if (label < 0)
        {
            Drop(item);
            return;
        }

        float max = float.NegativeInfinity;
        for (int v = 0; v < columns; v++) max = MathF.Max(max, x[v]);
        double sum = 0;
        for (int v = 0; v < columns; v++) sum += Math.Exp(x[v] - max);
        Loss[item] = (float)(Math.Log(sum) + max - x[label]);
        if (!Gradient) return;
        for (int v = 0; v < columns; v++) x[v] = (float)(Math.Exp(x[v] - max) / sum - (v == label ? 1 : 0)) * GradientWeight;
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        float* x = Logits.Row(item);
        int label = Labels[item], columns = Logits.Columns, whole = columns & ~15, rest = columns - whole;
        if (label < 0)
        {
            Drop(item);
            return;
        }

        var maxima = TLanes.Broadcast(float.NegativeInfinity);
        for (int v = 0; v < whole; v += 16) maxima = TLanes.Max(maxima, TLanes.Load(x + v));
        if (rest > 0) maxima = TLanes.Max(maxima, LaneExtensions.LoadPart<TLanes>(x + whole, rest, float.NegativeInfinity));
        float max = maxima.Maximum(), target = x[label];
        var shift = TLanes.Broadcast(max);

        double sum = 0;
        for (int start = 0; start < whole; start += Block)
        {
            var partial = TLanes.Zero;
            for (int v = start; v < Math.Min(whole, start + Block); v += 16)
            {
                var e = TLanes.Exp(TLanes.Load(x + v) - shift);
                partial += e;
                if (Gradient) TLanes.Store(e, x + v);
            }

            sum += partial.Sum();
        }

        if (rest > 0)
        {
            var e = TLanes.Exp(LaneExtensions.LoadPart<TLanes>(x + whole, rest, float.NegativeInfinity) - shift);
            sum += e.Sum();
            if (Gradient) LaneExtensions.StorePart(e, x + whole, rest);
        }

        Loss[item] = (float)(Math.Log(sum) + max - target);
        if (!Gradient) return;
        float factor = (float)(GradientWeight / sum);
        var scale = TLanes.Broadcast(factor);
        for (int v = 0; v < whole; v += 16) TLanes.Store(TLanes.Load(x + v) * scale, x + v);
        for (int v = whole; v < columns; v++) x[v] *= factor;
        x[label] -= GradientWeight;
    }

    private readonly void Drop(int item)
    {
        Loss[item] = 0;
        if (Gradient) new Span<float>(Logits.Row(item), Logits.Columns).Clear();
    }
}

/// <summary>Where a row is largest, one row per item; of equal values the first.</summary>
internal unsafe struct ArgMaxKernel : IKernel
{
    public Matrix X;
    public int* Indices;

    public readonly void Reference(int item, int worker)
    {
        float* x = X.Row(item);
        int best = 0;
        for (int v = 1; v < X.Columns; v++)
        {
            if (x[v] > x[best]) best = v;
        }

        Indices[item] = best;
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        float* x = X.Row(item);
        int columns = X.Columns, whole = columns & ~15, rest = columns - whole;
        var maxima = TLanes.Broadcast(float.NegativeInfinity);
        for (int v = 0; v < whole; v += 16) maxima = TLanes.Max(maxima, TLanes.Load(x + v));
        if (rest > 0) maxima = TLanes.Max(maxima, LaneExtensions.LoadPart<TLanes>(x + whole, rest, float.NegativeInfinity));
        float max = maxima.Maximum();
        if (max == 0)
        {
            // The two zeros are equal, but not as bits.
            Reference(item, worker);
            return;
        }

        Indices[item] = Math.Max(0, new ReadOnlySpan<int>(x, columns).IndexOf(BitConverter.SingleToInt32Bits(max)));
    }
}
