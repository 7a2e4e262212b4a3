namespace Hadal.Inference.Batching;

/// <summary>What an engine does now and has done so far.</summary>
public sealed record EngineStatistics
{
    /// <summary>Texts in work.</summary>
    public int Running { get; init; }

    /// <summary>Requests that wait.</summary>
    public int Waiting { get; init; }

    /// <summary>Pages of the latent cache that texts hold.</summary>
    public int HeldPages { get; init; }

    /// <summary>Pages that are kept for prompts that begin alike.</summary>
    public int KeptPages { get; init; }

    /// <summary>Pages that the cache may have.</summary>
    public int MostPages { get; init; }

    /// <summary>Steps so far.</summary>
    public long Steps { get; init; }

    /// <summary>Tokens of prompts that were computed.</summary>
    public long ComputedPromptTokens { get; init; }

    /// <summary>Tokens of prompts that were there already.</summary>
    public long ReusedPromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Drafts made.</summary>
    public long ProposedDrafts { get; init; }

    /// <summary>Drafts accepted.</summary>
    public long AcceptedDrafts { get; init; }

    /// <summary>Times that a text had to give its pages to others and was computed again later.</summary>
    public long Preemptions { get; init; }

    /// <summary>Rows of the last step.</summary>
    public int StepRows { get; init; }

    /// <summary>Texts of the last step.</summary>
    public int StepSequences { get; init; }

    /// <summary>Seconds that the last step took.</summary>
    public double StepSeconds { get; init; }

    /// <summary>How often each expert was chosen, layer after layer; the dense layers have none. Empty for a model without experts.</summary>
    public IReadOnlyList<long> ExpertCounts { get; init; } = [];

    /// <summary>Experts of a layer, so that layer l begins at l · this.</summary>
    public int Experts { get; init; }

    /// <summary>The mean over layers of the busiest expert's load over the mean load, less one (MaxVio, report section 4.5.3); 0 for an idle engine.</summary>
    public double ExpertImbalance
    {
        get
        {
            double sum = 0;
            int layers = 0;
            for (int first = 0; first < ExpertCounts.Count; first += Experts)
            {
                long most = 0, all = 0;
                for (int e = 0; e < Experts; e++) (most, all) = (Math.Max(most, ExpertCounts[first + e]), all + ExpertCounts[first + e]);
                if (all == 0) continue;
                sum += (double)most * Experts / all - 1;
                layers++;
            }

            return layers == 0 ? 0 : sum / layers;
        }
    }
}
