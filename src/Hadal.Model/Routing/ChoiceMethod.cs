namespace Hadal.Model.Routing;

/// <summary>How a token's experts are chosen from its affinities (<c>topk_method</c>).</summary>
public enum ChoiceMethod
{
    /// <summary><c>greedy</c>: the best experts, wherever they are.</summary>
    Greedy,

    /// <summary><c>group_limited_greedy</c>: the groups with the best single expert are kept, then the best experts inside them.</summary>
    GroupLimitedGreedy,

    /// <summary>
    /// <c>noaux_tc</c>: affinity plus a correction bias decides; the groups with the largest sum of their two best are kept, then the best experts inside
    /// them. The bias balances the load and never enters the gate weight (report section 2.1.2).
    /// </summary>
    BiasCorrected,
}
