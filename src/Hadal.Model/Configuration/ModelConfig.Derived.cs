using Hadal.Model.Routing;

namespace Hadal.Model.Configuration;

/// <content>What follows from the fields.</content>
public sealed partial record ModelConfig
{
    /// <summary>True if queries go through a latent (<c>q_a_proj</c>, <c>q_b_proj</c>); false for a single <c>q_proj</c>.</summary>
    public bool HasQueryLatent => QueryLatentRank is not null;

    /// <summary>Width of a query or key head: <see cref="NopeWidth"/> + <see cref="RopeWidth"/>.</summary>
    public int QueryHeadWidth => NopeWidth + RopeWidth;

    /// <summary>Inner width of the shared experts' one MLP: <see cref="SharedExperts"/> × <see cref="ExpertWidth"/>.</summary>
    public int SharedWidth => checked(SharedExperts * ExpertWidth);

    /// <summary>Values that the latent cache holds for a token in one layer: latent and rotary key.</summary>
    public int CacheWidth => LatentRank + RopeWidth;

    /// <summary>Bytes of latent cache that a token takes in the main model, in BF16 (70,272 for DeepSeek-V3). An MTP module in use adds a layer's
    /// share.</summary>
    public long CacheBytesPerToken => 2L * CacheWidth * Layers;

    /// <summary>The softmax scale: 1/√(<see cref="QueryHeadWidth"/>), times m² under YaRN, at every sequence length.</summary>
    public double AttentionScale => (Yarn?.SoftmaxFactor ?? 1) / Math.Sqrt(QueryHeadWidth);

    /// <summary>The rules by which a layer's router chooses experts.</summary>
    public RouterRule Router => RouterRule.From(this);

    /// <summary>Whether a layer has routed experts: l ≥ <see cref="DenseLayers"/> and l mod <see cref="ExpertLayerInterval"/> = 0.</summary>
    /// <param name="layer">0 … <see cref="Layers"/> - 1, or the index of an MTP module behind them.</param>
    /// <returns>True for experts, false for a dense MLP.</returns>
    public bool IsMixtureOfExperts(int layer) => RoutedExperts > 0 && layer >= DenseLayers && layer % ExpertLayerInterval == 0;

    /// <summary>Number of layers 0 … <see cref="Layers"/> - 1 with routed experts.</summary>
    public int ExpertLayers
    {
        get
        {
            int n = 0;
            for (int l = 0; l < Layers; l++) n += IsMixtureOfExperts(l) ? 1 : 0;
            return n;
        }
    }

    /// <summary>Numbers of the main model (layers 0 … L - 1, embedding, head, norms, router biases), without MTP modules and quantisation scales:
    /// 671,026,419,200 for DeepSeek-V3.</summary>
    public long ParameterCount => checked(2L * VocabularySize * HiddenSize + HiddenSize + LayerSum(0, Layers, active: false));

    /// <summary>Numbers of the main model that one token meets, the output head included and the embedding table not: 36.63 billion for DeepSeek-V3.
    /// A token reads one row of the embedding; the report's 37 billion is this figure rounded up.</summary>
    public long ActiveParameterCount => checked((long)VocabularySize * HiddenSize + HiddenSize + LayerSum(0, Layers, active: true));

    /// <summary><see cref="ActiveParameterCount"/> and the embedding table: 37.55 billion for DeepSeek-V3.</summary>
    public long ActiveParameterCountWithEmbedding => checked(ActiveParameterCount + (long)VocabularySize * HiddenSize);

    /// <summary>Numbers that the MTP modules have of their own, without their copies of embedding and head: 11.61 billion for DeepSeek-V3.</summary>
    public long MtpParameterCount =>
        checked(MtpLayers * (2L * HiddenSize * HiddenSize + 3L * HiddenSize) + LayerSum(Layers, Layers + MtpLayers, active: false));

    private long LayerSum(int from, int to, bool active)
    {
        checked
        {
            long d = HiddenSize, attention = 0;
            attention += QueryLatentRank is { } rank ? (d + 1) * rank + (long)Heads * QueryHeadWidth * rank : (long)Heads * QueryHeadWidth * d;
            attention += (long)CacheWidth * d + LatentRank + (long)Heads * (NopeWidth + ValueWidth) * LatentRank + d * Heads * ValueWidth;

            long expert = 3L * d * ExpertWidth;
            long router = (long)RoutedExperts * d + (Choice == ChoiceMethod.BiasCorrected ? RoutedExperts : 0);
            long experts = router + 3L * d * SharedWidth + expert * (active ? ExpertsPerToken : RoutedExperts);
            long dense = 3L * d * DenseWidth;

            long sum = 0;
            for (int l = from; l < to; l++) sum += attention + 2 * d + (IsMixtureOfExperts(l) ? experts : dense);
            return sum;
        }
    }
}
