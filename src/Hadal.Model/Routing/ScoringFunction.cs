namespace Hadal.Model.Routing;

/// <summary>What turns a router logit into an affinity (<c>scoring_func</c>).</summary>
public enum ScoringFunction
{
    /// <summary>1 / (1 + e^-x), each expert for itself (report eq. 15).</summary>
    Sigmoid,

    /// <summary>e^x / Σ e^x over all experts (DeepSeek-V2).</summary>
    Softmax,
}
