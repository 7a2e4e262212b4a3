using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    // The kernels keep one row of scores on the stack.
    private const int MostExperts = 8192;

    /// <inheritdoc/>
    public void Route(Tensor logits, Tensor bias, RoutingRule rule, Tensor scores, Tensor experts, Tensor weights)
    {
        CheckRule(rule, logits, nameof(Route));
        RequireShape(scores, logits.Rows, logits.Columns);
        RequireShape(weights, logits.Rows, rule.TopK);
        int perItem = RowsPerItem(logits.Rows, 64 * rule.TopK);
        Run(Items(logits.Rows, perItem), new RouteKernel
        {
            Logits = Rows(logits),
            Scores = Rows(scores),
            Weights = Rows(weights),
            Bias = Vector(bias, logits.Columns),
            Experts = Integers(experts, (long)logits.Rows * rule.TopK),
            Rule = rule,
            RowsPerItem = perItem,
        });
    }

    /// <inheritdoc/>
    public void RouteBackward(Tensor scores, Tensor experts, Tensor dWeights, Tensor dScores, RoutingRule rule, Tensor dLogits)
    {
        CheckRule(rule, scores, nameof(RouteBackward));
        RequireShape(dWeights, scores.Rows, rule.TopK);
        RequireShape(dLogits, scores.Rows, scores.Columns);
        int* chosen = Integers(experts, (long)scores.Rows * rule.TopK);
        CheckIndices(chosen, scores.Rows * rule.TopK, scores.Columns, nameof(RouteBackward));
        Run(scores.Rows, new RouteBackwardKernel
        {
            Scores = Rows(scores),
            DWeights = Rows(dWeights),
            DScores = OptionalRows(dScores),
            DLogits = Rows(dLogits),
            Experts = chosen,
            Rule = rule,
        });
    }

    /// <inheritdoc/>
    public void BalanceLoss(Tensor scores, int sequenceLength, int topK, float gradientScale, Tensor loss, Tensor dScores)
    {
        Require(
            sequenceLength > 0 && scores.Rows % sequenceLength == 0 && topK > 0 && topK <= scores.Columns && scores.Columns <= MostExperts, nameof(BalanceLoss),
            scores, $"has to hold whole sequences of {sequenceLength} tokens and at least {topK} experts");
        RequireShape(dScores, scores.Rows, scores.Columns);
        int sequences = scores.Rows / sequenceLength;
        Run(sequences, new BalanceLossKernel
        {
            Scores = Rows(scores),
            DScores = Rows(dScores),
            Loss = Vector(loss, sequences),
            Length = sequenceLength,
            TopK = topK,
            GradientScale = gradientScale,
        });
    }

    /// <inheritdoc/>
    public void CountBest(Tensor scores, int topK, Tensor counts)
    {
        Require(topK > 0 && topK <= scores.Columns && scores.Columns <= MostExperts, nameof(CountBest), scores, $"has to hold at least {topK} experts");
        int perItem = Math.Max(64, RowsPerItem(scores.Rows, 64 * topK));
        Run(Items(scores.Rows, perItem), new CountBestKernel
        {
            Scores = Rows(scores),
            Counts = Integers(counts, scores.Columns),
            TopK = topK,
            RowsPerItem = perItem,
        });
    }

    /// <inheritdoc/>
    public void BatchBalanceLoss(Tensor scores, int sequenceLength, Tensor counts, float gradientScale, Tensor loss, Tensor dScores)
    {
        Require(
            sequenceLength > 0 && scores.Rows % sequenceLength == 0 && scores.Columns is > 0 and <= MostExperts, nameof(BatchBalanceLoss),
            scores, $"has to hold whole sequences of {sequenceLength} tokens");
        RequireShape(dScores, scores.Rows, scores.Columns);
        int sequences = scores.Rows / sequenceLength;
        Run(sequences, new BalanceLossKernel
        {
            Scores = Rows(scores),
            DScores = Rows(dScores),
            Loss = Vector(loss, sequences),
            Counts = Integers(counts, scores.Columns),
            Length = sequenceLength,
            GradientScale = gradientScale,
        });
    }

    private static void CheckRule(RoutingRule rule, Tensor scores, string operation)
    {
        int experts = scores.Columns;
        bool groupsFit = rule.Groups >= 1 && experts % rule.Groups == 0 && rule.KeptGroups >= 1 && rule.KeptGroups <= rule.Groups;
        Require(
            groupsFit && rule.TopK >= 1 && rule.TopK <= experts / rule.Groups * rule.KeptGroups && experts <= MostExperts, operation, scores,
            $"does not fit the rule {rule}");
    }
}
