using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>AdamW with decoupled decay first: p ← p·(1 - lr·λ); m, v; p ← p - lr/(1 - β₁ᵗ)·m / (sqrt(v / (1 - β₂ᵗ)) + ε).</summary>
internal unsafe struct AdamWKernel : IKernel
{
    public const int ItemElements = 1 << 14;
    public float* P, G, M, V;
    public long Count;
    public AdamWStep Step;

    public readonly void Reference(int item, int worker)
    {
        long first = (long)item * ItemElements, end = Math.Min(Count, first + ItemElements);
        Update(first, end);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        long first = (long)item * ItemElements, end = Math.Min(Count, first + ItemElements), whole = first + ((end - first) & ~15L);
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
        for (long i = first; i < whole; i += 16)
        {
            var g = TLanes.Load(G + i) * gradientScale;
            var m = TLanes.FusedMultiplyAdd(TLanes.Load(M + i), b1, g * c1);
            var v = TLanes.FusedMultiplyAdd(TLanes.Load(V + i), b2, g * g * c2);
            TLanes.Store(m, M + i);
            TLanes.Store(v, V + i);
            TLanes.Store(TLanes.FusedMultiplyAdd(m / TLanes.FusedMultiplyAdd(TLanes.Sqrt(v), root, epsilon), stepSize, TLanes.Load(P + i) * keep), P + i);
        }

        Update(whole, end);
    }

    private readonly void Update(long first, long end)
    {
        Corrections(out float rate, out float rootScale);
        for (long i = first; i < end; i++)
        {
            float g = G[i] * Step.GradientScale;
            M[i] = MathF.FusedMultiplyAdd(M[i], Step.Beta1, g * (1 - Step.Beta1));
            V[i] = MathF.FusedMultiplyAdd(V[i], Step.Beta2, g * g * (1 - Step.Beta2));
            float denominator = MathF.FusedMultiplyAdd(MathF.Sqrt(V[i]), rootScale, Step.Epsilon);
            P[i] = MathF.FusedMultiplyAdd(M[i] / denominator, -rate, P[i] * (1 - Step.LearningRate * Step.WeightDecay));
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
