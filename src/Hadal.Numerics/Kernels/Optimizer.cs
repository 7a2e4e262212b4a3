using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>AdamW with decoupled decay first: p ← p·(1 - lr·λ); m, v; p ← p - lr/(1 - β₁ᵗ)·m / (sqrt(v / (1 - β₂ᵗ)) + ε).</summary>
/// <remarks>Gradients are zeroed on the way, which saves a pass over them. Moments of bfloat16 (report section 3.3.3) are widened, updated and used in FP32, and rounded when they go back.</remarks>
internal unsafe struct AdamWKernel : IKernel
{
    public const int ItemElements = 1 << 14;
    private const int ShortBlock = 512;
    public float* P, G, M, V;

    /// <summary>The moments, where they are bfloat16.</summary>
    public ushort* ShortM, ShortV;
    public long Count;
    public AdamWStep Step;

    public readonly void Reference(int item, int worker)
    {
        long first = (long)item * ItemElements, end = Math.Min(Count, first + ItemElements);
        if (M != null) Update(first, end, M + first, V + first);
        for (long i = first; M == null && i < end; i++)
        {
            float m = BFloat16.ToSingle(ShortM[i]), v = BFloat16.ToSingle(ShortV[i]);
            Update(i, i + 1, &m, &v);
            (ShortM[i], ShortV[i]) = (BFloat16.FromSingle(m), BFloat16.FromSingle(v));
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        long first = (long)item * ItemElements, end = Math.Min(Count, first + ItemElements);
        if (M != null)
        {
            Update<TLanes>(first, end, M + first, V + first);
            return;
        }

        float* m = stackalloc float[2 * ShortBlock];
        float* v = m + ShortBlock;
        for (; first < end; first += ShortBlock)
        {
            nint count = (nint)Math.Min(ShortBlock, end - first);
            BFloat16.Widen(ShortM + first, m, count);
            BFloat16.Widen(ShortV + first, v, count);
            Update<TLanes>(first, first + count, m, v);
            BFloat16.Narrow(m, ShortM + first, count);
            BFloat16.Narrow(v, ShortV + first, count);
        }
    }

    private readonly void Update<TLanes>(long first, long end, float* m, float* v) where TLanes : struct, ILanes<TLanes>
    {
        long whole = first + ((end - first) & ~15L);
        var keep = TLanes.Broadcast(1 - Step.LearningRate * Step.WeightDecay);
        var b1 = TLanes.Broadcast(Step.Beta1);
        var b2 = TLanes.Broadcast(Step.Beta2);
        var c1 = TLanes.Broadcast(1 - Step.Beta1);
        var c2 = TLanes.Broadcast(1 - Step.Beta2);
        var epsilon = TLanes.Broadcast(Step.Epsilon);
        var gradientScale = TLanes.Broadcast(Step.GradientScale);
        Corrections(out float rate, out float rootScale);
        var stepSize = TLanes.Broadcast(-rate);
        var root = TLanes.Broadcast(rootScale);
        for (long i = first; i < whole; i += 16, m += 16, v += 16)
        {
            var g = TLanes.Load(G + i) * gradientScale;
            TLanes.Store(TLanes.Zero, G + i);
            var mean = TLanes.FusedMultiplyAdd(TLanes.Load(m), b1, g * c1);
            var square = TLanes.FusedMultiplyAdd(TLanes.Load(v), b2, g * g * c2);
            TLanes.Store(mean, m);
            TLanes.Store(square, v);
            TLanes.Store(TLanes.FusedMultiplyAdd(mean / TLanes.FusedMultiplyAdd(TLanes.Sqrt(square), root, epsilon), stepSize, TLanes.Load(P + i) * keep), P + i);
        }

        Update(whole, end, m, v);
    }

    private readonly void Update(long first, long end, float* m, float* v)
    {
        Corrections(out float rate, out float rootScale);
        for (long i = first; i < end; i++, m++, v++)
        {
            float g = G[i] * Step.GradientScale;
            G[i] = 0;
            *m = MathF.FusedMultiplyAdd(*m, Step.Beta1, g * (1 - Step.Beta1));
            *v = MathF.FusedMultiplyAdd(*v, Step.Beta2, g * g * (1 - Step.Beta2));
            float denominator = MathF.FusedMultiplyAdd(MathF.Sqrt(*v), rootScale, Step.Epsilon);
            P[i] = MathF.FusedMultiplyAdd(*m / denominator, -rate, P[i] * (1 - Step.LearningRate * Step.WeightDecay));
        }
    }

    private readonly void Corrections(out float rate, out float rootScale)
    {
        rate = (float)(Step.LearningRate / (1 - Math.Pow(Step.Beta1, Step.Step)));
        rootScale = (float)(1 / Math.Sqrt(1 - Math.Pow(Step.Beta2, Step.Step)));
    }
}

/// <summary>Σ x² over one block of 4,096 elements per item.</summary>
internal unsafe struct SumOfSquaresKernel : IKernel
{
    public const int Block = 4096;
    public float* X;
    public long Count;
    public double* Sums;

    public readonly void Reference(int item, int worker)
    {
        double sum = 0;
        for (long i = (long)item * Block; i < Math.Min(Count, ((long)item + 1) * Block); i++) sum += (double)X[i] * X[i];
        Sums[item] = sum;
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        long first = (long)item * Block, end = Math.Min(Count, first + Block), whole = first + ((end - first) & ~15L);
        var squares = TLanes.Zero;
        for (long i = first; i < whole; i += 16)
        {
            var v = TLanes.Load(X + i);
            squares = TLanes.FusedMultiplyAdd(v, v, squares);
        }

        double sum = squares.Sum();
        for (long i = whole; i < end; i++) sum += (double)X[i] * X[i];
        Sums[item] = sum;
    }
}
