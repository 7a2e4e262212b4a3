namespace Hadal.Inference.Running;

/// <summary>Places of a forward pass that an observer can look at. Shapes have T rows, those of the step; K is experts per token.</summary>
public enum ForwardPoint
{
    /// <summary>[T, D]: the residual stream before a layer; layer L is the stream behind the last one, before the final norm.</summary>
    Hidden,

    /// <summary>[T, D]: output of a layer's attention, not yet added.</summary>
    AttentionOutput,

    /// <summary>[T, R]: normalised latent, as the cache gets it (before it is rounded to the cache's type).</summary>
    Latent,

    /// <summary>[T, r]: rotated rope key, interleaved.</summary>
    RopeKey,

    /// <summary>I32 [T, K]: chosen experts by falling choice score.</summary>
    Experts,

    /// <summary>[T, K]: their gate weights.</summary>
    GateWeights,

    /// <summary>[T, D]: behind the final norm.</summary>
    FinalNorm,

    /// <summary>[rows with logits, V].</summary>
    Logits,

    /// <summary>[T, D]: output of eh_proj, the input of the MTP module's layer.</summary>
    MtpProjection,

    /// <summary>[T, D]: output of the MTP module's layer, before its norm.</summary>
    MtpHidden,

    /// <summary>[rows with logits, V].</summary>
    MtpLogits,
}
