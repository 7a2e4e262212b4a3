using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Expert choice and gate weights of a few tokens per item (report equations 12-16).</summary>
/// <remarks>E is at most a few hundred, so choosing by repeated scans is cheaper than any structure; only the scores are computed in lanes.</remarks>
internal unsafe struct RouteKernel : IKernel
{
    public Matrix Logits, Scores, Weights;
    public float* Bias;
    public int* Experts;
    public RoutingRule Rule;
    public int RowsPerItem;

    public readonly void Reference(int item, int worker)
    {
        for (int t = item * RowsPerItem; t < Math.Min(Logits.Rows, (item + 1) * RowsPerItem); t++) Reference(t);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        for (int t = item * RowsPerItem; t < Math.Min(Logits.Rows, (item + 1) * RowsPerItem); t++) Vector<TLanes>(t);
    }

    private readonly void Reference(int item)
    {
        float* logits = Logits.Row(item);
        float* scores = Scores.Row(item);
        int experts = Logits.Columns;
        if (Rule.Scores == ScoreFunction.Sigmoid)
        {
            for (int e = 0; e < experts; e++) scores[e] = LaneMath.Sigmoid(logits[e]);
        }
        else
        {
            Softmax(logits, scores, experts);
        }

        Choose(item);
    }

    private readonly void Vector<TLanes>(int item) where TLanes : struct, ILanes<TLanes>
    {
        float* logits = Logits.Row(item);
        float* scores = Scores.Row(item);
        int experts = Logits.Columns, whole = experts & ~15;
        if (Rule.Scores == ScoreFunction.Sigmoid)
        {
            for (int e = 0; e < whole; e += 16) TLanes.Store(LaneMath.Sigmoid(TLanes.Load(logits + e)), scores + e);
            if (whole < experts)
            {
                var tail = LaneMath.Sigmoid(LaneExtensions.LoadPart<TLanes>(logits + whole, experts - whole));
                LaneExtensions.StorePart(tail, scores + whole, experts - whole);
            }
        }
        else
        {
            Softmax(logits, scores, experts);
        }

        Choose(item);
    }

    /// <summary>Places of the <paramref name="count"/> largest values, descending, the lower place first among equals.</summary>
    internal static void TopK(float* values, int length, int count, int* places)
    {
        // The best so far in order (value descending, place ascending); few values of a row are better than the last of them.
        float* best = stackalloc float[count];
        int taken = 0;
        for (int i = 0; i < length; i++)
        {
            float value = values[i];
            if (float.IsNaN(value) || (taken == count && !(value > best[count - 1]))) continue;
            int at = taken < count ? taken++ : count - 1;
            for (; at > 0 && value > best[at - 1]; at--) (best[at], places[at]) = (best[at - 1], places[at - 1]);
            (best[at], places[at]) = (value, i);
        }

        // Only NaN leaves nothing to pick: take the first place not taken, so that the result is at least an expert.
        for (; taken < count; taken++) places[taken] = FirstFree(places, taken, length);
    }

    private static int FirstFree(int* places, int taken, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (!new ReadOnlySpan<int>(places, taken).Contains(i)) return i;
        }

        return 0;
    }

    private static void Softmax(float* x, float* y, int count)
    {
        float max = float.NegativeInfinity, sum = 0;
        for (int i = 0; i < count; i++) max = MathF.Max(max, x[i]);
        for (int i = 0; i < count; i++) sum += y[i] = MathF.Exp(x[i] - max);
        for (int i = 0; i < count; i++) y[i] /= sum;
    }

    private readonly void Choose(int item)
    {
        int experts = Logits.Columns;
        float* scores = Scores.Row(item);
        float* choice = stackalloc float[experts];
        for (int e = 0; e < experts; e++) choice[e] = Bias == null ? scores[e] : scores[e] + Bias[e];
        if (Rule.KeptGroups < Rule.Groups) ExcludeGroups(choice, experts);

        int* chosen = Experts + (nint)item * Rule.TopK;
        TopK(choice, experts, Rule.TopK, chosen);
        float sum = 0;
        for (int k = 0; k < Rule.TopK; k++) sum += scores[chosen[k]];
        float factor = Rule.Normalize ? Rule.ScalingFactor / (sum + 1e-20f) : Rule.ScalingFactor;
        for (int k = 0; k < Rule.TopK; k++) Weights.Row(item)[k] = scores[chosen[k]] * factor;
    }

    // Experts outside the best groups get minus infinity, not zero: choice scores may be negative.
    private readonly void ExcludeGroups(float* choice, int experts)
    {
        int size = experts / Rule.Groups;
        float* groupScores = stackalloc float[Rule.Groups];
        int* kept = stackalloc int[Rule.KeptGroups];
        for (int g = 0; g < Rule.Groups; g++)
        {
            float first = float.NegativeInfinity, second = float.NegativeInfinity;
            for (int i = 0; i < size; i++)
            {
                float v = choice[g * size + i];
                if (v > first) (first, second) = (v, first);
                else if (v > second) second = v;
            }

            groupScores[g] = Rule.GroupScore == GroupScore.Maximum || size == 1 ? first : first + second;
        }

        TopK(groupScores, Rule.Groups, Rule.KeptGroups, kept);
        for (int g = 0; g < Rule.Groups; g++)
        {
            if (new ReadOnlySpan<int>(kept, Rule.KeptGroups).Contains(g)) continue;
            for (int i = 0; i < size; i++) choice[g * size + i] = float.NegativeInfinity;
        }
    }
}

/// <summary>Gradient of the gate weights (and of a further loss on the scores) for the logits of one token per item.</summary>
/// <remarks>
/// With S the sum of the chosen scores and α the scaling factor: normalised weights α·s/S give ds = α/S·(dg - Σ dg·s/S), others ds = α·dg. Then
/// sigmoid: dlogit = ds·s·(1 - s); softmax: dlogit = s·(ds - Σ ds·s).
/// </remarks>
internal unsafe struct RouteBackwardKernel : IKernel
{
    public Matrix Scores, DWeights, DScores, DLogits;
    public int* Experts;
    public RoutingRule Rule;

    public readonly void Reference(int item, int worker)
    {
        int experts = Scores.Columns;
        float* s = Scores.Row(item);
        float* dg = DWeights.Row(item);
        float* d = DLogits.Row(item);
        int* chosen = Experts + (nint)item * Rule.TopK;
        for (int e = 0; e < experts; e++) d[e] = DScores.IsEmpty ? 0 : DScores.Row(item)[e];

        float sum = 0, dot = 0;
        for (int k = 0; k < Rule.TopK; k++)
        {
            sum += s[chosen[k]];
            dot += dg[k] * s[chosen[k]];
        }

        sum += 1e-20f;
        for (int k = 0; k < Rule.TopK; k++)
        {
            d[chosen[k]] += Rule.Normalize ? Rule.ScalingFactor / sum * (dg[k] - dot / sum) : Rule.ScalingFactor * dg[k];
        }

        if (Rule.Scores == ScoreFunction.Sigmoid)
        {
            for (int e = 0; e < experts; e++) d[e] *= s[e] * (1 - s[e]);
            return;
        }

        float mean = 0;
        for (int e = 0; e < experts; e++) mean += d[e] * s[e];
        for (int e = 0; e < experts; e++) d[e] = s[e] * (d[e] - mean);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);
}
