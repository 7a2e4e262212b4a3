namespace Hadal.Training.Model;

/// <summary>A part of a forward or backward through a layer: between two of them rows may travel, and other chunks be computed.</summary>
internal enum PassPart
{
    /// <summary>Attention, router, and the beginning of the dispatch; before the first layer the embedding.</summary>
    Attention,

    /// <summary>Dense MLP, or shared experts and those that live here, and the beginning of the combine.</summary>
    Mlp,

    /// <summary>Results added to the stream; behind the last layer the final norm.</summary>
    End,

    /// <summary>Head and losses.</summary>
    Losses,

    /// <summary>What is computed again, and the beginning of the gradients' dispatch.</summary>
    BackwardBegin,

    /// <summary>Gradients for the inputs of MLP or experts, and the beginning of their combine.</summary>
    BackwardMlp,

    /// <summary>Gradients for the weights of MLP or experts.</summary>
    MlpWeights,

    /// <summary>Gradients for the inputs of router and attention.</summary>
    BackwardAttention,

    /// <summary>Gradients for the weights of attention, router and norms.</summary>
    AttentionWeights,

    /// <summary>Gradients for the embedding.</summary>
    EmbeddingWeights,
}
