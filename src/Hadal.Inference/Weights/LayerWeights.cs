using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>Weights of one decoder layer, arranged for inference. Legend: D hidden size, H heads, R latent rank, r rope width, n nope width, v value
/// width.</summary>
internal sealed class LayerWeights
{
    /// <summary>[D], before attention.</summary>
    public required Tensor AttentionNorm { get; init; }

    /// <summary>[D], before the MLP.</summary>
    public required Tensor MlpNorm { get; init; }

    /// <summary>Query down-projection over latent down-projection, [query latent + R + r, D]; without a query latent, [R + r, D].</summary>
    public required PackedWeights Down { get; init; }

    /// <summary>[query latent]; no tensor if the query has no latent.</summary>
    public required Tensor QueryLatentNorm { get; init; }

    /// <summary>[H·(n + r), query latent or D].</summary>
    public required PackedWeights Query { get; init; }

    /// <summary>[R].</summary>
    public required Tensor LatentNorm { get; init; }

    /// <summary>kv_b_proj as stored, [H·(n + v), R], for the expanded form.</summary>
    public required PackedWeights LatentUp { get; init; }

    /// <summary>W_UKᵀ of each head, [H, R, n]: brings a query into latent space (absorbed form).</summary>
    public required PackedWeights QueryAbsorption { get; init; }

    /// <summary>W_UV of each head, [H, v, R]: brings weighted latents to values (absorbed form).</summary>
    public required PackedWeights ValueUp { get; init; }

    /// <summary>[D, H·v].</summary>
    public required PackedWeights AttentionOutput { get; init; }

    /// <summary>Router [E, D]; null in a dense layer.</summary>
    public PackedWeights? Router { get; init; }

    /// <summary>[E], or no tensor.</summary>
    public Tensor RouterBias { get; init; }

    /// <summary>Experts, gate over up, [E, 2·I, D].</summary>
    public PackedWeights? ExpertGateUp { get; init; }

    /// <summary>[E, D, I].</summary>
    public PackedWeights? ExpertDown { get; init; }

    /// <summary>Dense MLP or shared experts, gate over up, [2·I, D]; null if there are no shared experts.</summary>
    public PackedWeights? GateUp { get; init; }

    /// <summary>[D, I].</summary>
    public PackedWeights? DenseDown { get; init; }

    /// <summary>Tells the weights in which order decoding meets them.</summary>
    /// <param name="before">What is multiplied before this layer; null for nothing.</param>
    /// <returns>What is multiplied last in this layer.</returns>
    public PackedWeights Chain(PackedWeights? before)
    {
        ReadOnlySpan<PackedWeights?> order = [Down, Query, QueryAbsorption, ValueUp, AttentionOutput, Router, GateUp, DenseDown, ExpertDown];
        foreach (var weights in order)
        {
            if (weights is null) continue;
            if (before is not null && weights != ExpertDown) before.Next = weights;
            before = weights;
        }

        return before!;
    }
}

/// <summary>What an MTP module has beyond its decoder layer.</summary>
internal sealed class MtpWeights
{
    /// <summary>The module's decoder layer.</summary>
    public required LayerWeights Layer { get; init; }

    /// <summary>enorm, [D].</summary>
    public required Tensor EmbeddingNorm { get; init; }

    /// <summary>hnorm, [D].</summary>
    public required Tensor HiddenNorm { get; init; }

    /// <summary>eh_proj, [D, 2·D]: columns of the embedding, then of the hidden state.</summary>
    public required PackedWeights Projection { get; init; }

    /// <summary>shared_head.norm, [D].</summary>
    public required Tensor FinalNorm { get; init; }
}
