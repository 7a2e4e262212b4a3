namespace Hadal.Model.Routing;

/// <summary>The router written as its formulas read, one token at a time: what the kernels are tested against.</summary>
public static class ReferenceRouter
{
    /// <summary>logit_e = Σ_j x_j · w_ej, summed in FP64.</summary>
    /// <param name="x">The token's normed hidden state, [d].</param>
    /// <param name="weight">The router's matrix, [experts, d].</param>
    /// <param name="logits">Receives [experts] logits.</param>
    public static void Logits(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, Span<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weight.Length, (long)x.Length * logits.Length);
        for (int e = 0; e < logits.Length; e++)
        {
            double sum = 0;
            for (int j = 0; j < x.Length; j++) sum += (double)x[j] * weight[e * x.Length + j];
            logits[e] = (float)sum;
        }
    }

    /// <summary>Scores: σ(logit), or softmax over all experts.</summary>
    /// <param name="scoring">Which.</param>
    /// <param name="logits">[experts].</param>
    /// <param name="scores">Receives [experts].</param>
    public static void Scores(ScoringFunction scoring, ReadOnlySpan<float> logits, Span<float> scores)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, logits.Length);
        if (scoring == ScoringFunction.Sigmoid)
        {
            for (int e = 0; e < logits.Length; e++) scores[e] = (float)(1 / (1 + Math.Exp(-(double)logits[e])));
            return;
        }

        double largest = double.NegativeInfinity, sum = 0;
        foreach (float logit in logits) largest = Math.Max(largest, logit);
        foreach (float logit in logits) sum += Math.Exp(logit - largest);
        for (int e = 0; e < logits.Length; e++) scores[e] = (float)(Math.Exp(logits[e] - largest) / sum);
    }

    /// <summary>Chooses a token's experts and weighs them.</summary>
    /// <param name="rule">The rules.</param>
    /// <param name="logits">[experts].</param>
    /// <param name="bias">[experts] correction bias; ignored, and may be empty, if the rule has none.</param>
    /// <param name="experts">Receives [experts per token] indices by falling choice score, the lower index first on ties.</param>
    /// <param name="weights">Receives [experts per token] gate weights in the same order.</param>
    public static void Route(RouterRule rule, ReadOnlySpan<float> logits, ReadOnlySpan<float> bias, Span<int> experts, Span<float> weights)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, rule.Experts);
        ArgumentOutOfRangeException.ThrowIfNotEqual(experts.Length, rule.ExpertsPerToken);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, rule.ExpertsPerToken);
        if (rule.HasBias) ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, rule.Experts);

        var scores = new float[rule.Experts];
        Scores(rule.Scoring, logits, scores);
        var choice = (float[])scores.Clone();
        for (int e = 0; rule.HasBias && e < choice.Length; e++) choice[e] += bias[e];
        if (rule.Groups > 1) KeepBestGroups(rule, choice);
        Best(choice, experts);

        double sum = 0;
        foreach (int e in experts) sum += scores[e];
        for (int k = 0; k < experts.Length; k++)
        {
            // 1e-20 as in the published code: scores that all vanish give weights of zero, not NaN.
            double gate = rule.Normalize ? scores[experts[k]] / (sum + 1e-20) : scores[experts[k]];
            weights[k] = (float)(gate * rule.Scale);
        }
    }

    // Minus infinity, not zero: choice scores are negative when a bias is.
    private static void KeepBestGroups(RouterRule rule, float[] choice)
    {
        var groupScores = new float[rule.Groups];
        Span<int> best = stackalloc int[rule.GroupScoreDepth];
        for (int g = 0; g < rule.Groups; g++)
        {
            var members = choice.AsSpan(g * rule.GroupSize, rule.GroupSize);
            Best(members, best);
            foreach (int e in best) groupScores[g] += members[e];
        }

        var kept = new int[rule.KeptGroups];
        Best(groupScores, kept);
        for (int g = 0; g < rule.Groups; g++)
        {
            if (!kept.Contains(g)) choice.AsSpan(g * rule.GroupSize, rule.GroupSize).Fill(float.NegativeInfinity);
        }
    }

    /// <summary>The indices of the largest values, falling, the lower index first on ties.</summary>
    private static void Best(ReadOnlySpan<float> values, Span<int> best)
    {
        for (int k = 0; k < best.Length; k++)
        {
            int found = -1;
            for (int i = 0; i < values.Length; i++)
            {
                if (best[..k].Contains(i)) continue;
                if (found < 0 || values[i] > values[found]) found = i;
            }

            best[k] = found;
        }
    }
}
