using Hadal.Model.Configuration;

namespace Hadal.Model.Routing;

/// <summary>The rules by which a router chooses a token's experts and weighs them.</summary>
/// <remarks>
/// Score = σ(logit) or softmax(logits). Choice score = score, plus the correction bias if <see cref="HasBias"/>. With more than one group, only experts of the
/// <see cref="KeptGroups"/> best groups stay, all others get -∞. The <see cref="ExpertsPerToken"/> best choice scores are chosen, the lower index on ties.
/// Gate weight = score (never the bias), divided by the sum over the chosen if <see cref="Normalize"/>, times <see cref="Scale"/>. (Report eq. 12–16.)
/// </remarks>
public sealed record RouterRule
{
    /// <summary>What turns a logit into a score.</summary>
    public required ScoringFunction Scoring { get; init; }

    /// <summary>How experts are chosen from the scores.</summary>
    public required ChoiceMethod Choice { get; init; }

    /// <summary>Routed experts.</summary>
    public required int Experts { get; init; }

    /// <summary>Experts that a token gets.</summary>
    public required int ExpertsPerToken { get; init; }

    /// <summary>Groups of consecutive experts; 1 when the choice is not limited to groups.</summary>
    public required int Groups { get; init; }

    /// <summary>Groups that a token may reach.</summary>
    public required int KeptGroups { get; init; }

    /// <summary>Whether gate weights are divided by their sum.</summary>
    public required bool Normalize { get; init; }

    /// <summary>Factor on the gate weights.</summary>
    public required double Scale { get; init; }

    /// <summary>Whether a correction bias takes part in the choice.</summary>
    public bool HasBias => Choice == ChoiceMethod.BiasCorrected;

    /// <summary>Experts of a group.</summary>
    public int GroupSize => Experts / Groups;

    /// <summary>How many of a group's best choice scores are added up to its own: 2 with a bias, else 1 (the maximum); no more than a group has.</summary>
    public int GroupScoreDepth => Math.Min(HasBias ? 2 : 1, GroupSize);

    /// <summary>The rules of a configuration.</summary>
    /// <param name="config">A valid configuration of a model with experts.</param>
    /// <returns>The rules.</returns>
    public static RouterRule From(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        bool grouped = config.Choice != ChoiceMethod.Greedy;
        return new RouterRule
        {
            Scoring = config.Scoring,
            Choice = config.Choice,
            Experts = config.RoutedExperts,
            ExpertsPerToken = config.ExpertsPerToken,
            Groups = grouped ? config.Groups : 1,
            KeptGroups = grouped ? config.KeptGroups : 1,
            Normalize = config.NormalizeGates,
            Scale = config.GateScale,
        };
    }
}
