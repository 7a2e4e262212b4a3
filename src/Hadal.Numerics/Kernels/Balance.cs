using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Σ_e f_e·P_e of one sequence per item, and its gradient for the scores (report equations 17-20).</summary>
/// <remarks>
/// f_e = E/(C·L)·(tokens whose best C scores contain e), constant for the gradient; P_e = 1/L·Σ_t s_te/S_t with S_t = Σ_j s_tj. Hence
/// dL/ds_te = 1/L·(f_e/S_t - Σ_j f_j·s_tj/S_t²). With counts from outside, f comes from those: E/Σ counts·counts_e.
/// </remarks>
internal unsafe struct BalanceLossKernel : IKernel
{
    public Matrix Scores, DScores;
    public float* Loss;
    public int* Counts;
    public int Length, TopK;
    public float GradientScale;

    public readonly void Reference(int item, int worker)
    {
        int experts = Scores.Columns, first = item * Length;
        float* f = stackalloc float[experts];
        if (Counts == null) CountSequence(first, f);
        else SpreadCounts(f);

        double loss = 0;
        for (int t = first; t < first + Length; t++)
        {
            float* s = Scores.Row(t);
            float sum = 0, weighted = 0;
            for (int e = 0; e < experts; e++)
            {
                sum += s[e];
                weighted += f[e] * s[e];
            }

            loss += weighted / sum;
            float factor = GradientScale / (Length * sum), mean = weighted / sum;
            for (int e = 0; e < experts; e++) DScores.Row(t)[e] = factor * (f[e] - mean);
        }

        Loss[item] = (float)(loss / Length);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int experts = Scores.Columns, whole = experts & ~15, first = item * Length;
        float* f = stackalloc float[experts];
        if (Counts == null) CountSequence(first, f);
        else SpreadCounts(f);

        double loss = 0;
        for (int t = first; t < first + Length; t++)
        {
            float* s = Scores.Row(t);
            float* d = DScores.Row(t);
            var sums = TLanes.Zero;
            var products = TLanes.Zero;
            for (int e = 0; e < whole; e += 16)
            {
                var score = TLanes.Load(s + e);
                sums += score;
                products = TLanes.FusedMultiplyAdd(score, TLanes.Load(f + e), products);
            }

            float sum = sums.Sum(), weighted = products.Sum();
            for (int e = whole; e < experts; e++)
            {
                sum += s[e];
                weighted += f[e] * s[e];
            }

            float factor = GradientScale / (Length * sum), mean = weighted / sum;
            loss += mean;
            var factors = TLanes.Broadcast(factor);
            var means = TLanes.Broadcast(mean);
            for (int e = 0; e < whole; e += 16) TLanes.Store((TLanes.Load(f + e) - means) * factors, d + e);
            for (int e = whole; e < experts; e++) d[e] = factor * (f[e] - mean);
        }

        Loss[item] = (float)(loss / Length);
    }

    private readonly void CountSequence(int first, float* f)
    {
        int experts = Scores.Columns;
        int* best = stackalloc int[TopK];
        new Span<float>(f, experts).Clear();
        for (int t = first; t < first + Length; t++)
        {
            RouteKernel.TopK(Scores.Row(t), experts, TopK, best);
            for (int k = 0; k < TopK; k++) f[best[k]]++;
        }

        for (int e = 0; e < experts; e++) f[e] *= (float)experts / ((float)TopK * Length);
    }

    private readonly void SpreadCounts(float* f)
    {
        int experts = Scores.Columns;
        long total = 0;
        for (int e = 0; e < experts; e++) total += Counts[e];
        for (int e = 0; e < experts; e++) f[e] = (float)((double)Counts[e] * experts / Math.Max(1, total));
    }
}

/// <summary>Adds to each expert's count the tokens of an item whose best scores contain it. Integer sums, so the order of the threads changes nothing.</summary>
internal unsafe struct CountBestKernel : IKernel
{
    public Matrix Scores;
    public int* Counts;
    public int TopK, RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        int experts = Scores.Columns;
        int* own = stackalloc int[experts];
        int* best = stackalloc int[TopK];
        new Span<int>(own, experts).Clear();
        for (int t = item * RowsPerItem; t < Math.Min(Scores.Rows, (item + 1) * RowsPerItem); t++)
        {
            RouteKernel.TopK(Scores.Row(t), experts, TopK, best);
            for (int k = 0; k < TopK; k++) own[best[k]]++;
        }

        for (int e = 0; e < experts; e++)
        {
            if (own[e] != 0) Interlocked.Add(ref Counts[e], own[e]);
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);
}
