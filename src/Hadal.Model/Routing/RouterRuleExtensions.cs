using Hadal.Numerics;

namespace Hadal.Model.Routing;

/// <summary>From a model's router to the arithmetic that a backend does.</summary>
public static class RouterRuleExtensions
{
    /// <summary>The rule as <see cref="IBackend.Route"/> takes it.</summary>
    /// <param name="rule">A model's router.</param>
    /// <returns>The same rule without the model's names.</returns>
    public static RoutingRule ToRoutingRule(this RouterRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return new RoutingRule(
            rule.Scoring == ScoringFunction.Sigmoid ? ScoreFunction.Sigmoid : ScoreFunction.Softmax, rule.ExpertsPerToken, rule.Groups, rule.KeptGroups,
            rule.HasBias ? GroupScore.TopTwoSum : GroupScore.Maximum, rule.Normalize, (float)rule.Scale);
    }
}
