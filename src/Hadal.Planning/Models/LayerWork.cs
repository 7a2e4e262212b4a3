using Hadal.Model.Configuration;

namespace Hadal.Planning.Models;

/// <summary>Weights, operations and bytes of a model's layers.</summary>
/// <remarks>A weight of a matrix costs a token 2 operations forward, 2 for the gradient of its input and 2 for its own gradient. Norms, biases and the router's bias count as nothing.</remarks>
internal static class LayerWork
{
    /// <summary>Bytes of a scale, and values that share one, in FP8 (1×128).</summary>
    private const int ScaleBytes = 4, ScaleGroup = 128;

    /// <summary>Matrix weights of attention in one layer: 187,105,280 in DeepSeek-V3.</summary>
    public static double AttentionWeights(ModelConfig c)
    {
        double query = c.QueryLatentRank is { } rank ? (double)c.HiddenSize * rank + (double)rank * c.Heads * c.QueryHeadWidth : (double)c.HiddenSize * c.Heads * c.QueryHeadWidth;
        return query + (double)c.HiddenSize * c.CacheWidth + (double)c.LatentRank * c.Heads * (c.NopeWidth + c.ValueWidth) + (double)c.Heads * c.ValueWidth * c.HiddenSize;
    }

    /// <summary>Weights of one routed expert.</summary>
    public static double ExpertWeights(ModelConfig c) => 3.0 * c.HiddenSize * c.ExpertWidth;

    /// <summary>Weights of a layer's shared experts and router.</summary>
    public static double SharedWeights(ModelConfig c) => 3.0 * c.HiddenSize * c.SharedWidth + (double)c.RoutedExperts * c.HiddenSize;

    /// <summary>Weights of a dense MLP.</summary>
    public static double DenseWeights(ModelConfig c) => 3.0 * c.HiddenSize * c.DenseWidth;

    /// <summary>Weights of embedding or head.</summary>
    public static double VocabularyWeights(ModelConfig c) => (double)c.VocabularySize * c.HiddenSize;

    /// <summary>Weights of an MTP module's projection of embedding and hidden state.</summary>
    public static double MtpProjectionWeights(ModelConfig c) => 2.0 * c.HiddenSize * c.HiddenSize;

    /// <summary>MLP weights that a token meets in a layer.</summary>
    public static double ActiveMlpWeights(ModelConfig c, bool experts) => experts ? c.ExpertsPerToken * ExpertWeights(c) + SharedWeights(c) : DenseWeights(c);

    /// <summary>Operations of scores and weighted values, forward, of one token in one layer: half of the square, since attention is causal.</summary>
    public static double CoreAttention(ModelConfig c, int sequenceLength) => 2.0 * c.Heads * (c.QueryHeadWidth + c.ValueWidth) * sequenceLength / 2;

    /// <summary>Operations of a training step per token, MTP modules apart: 250.4 · 10⁹ in DeepSeek-V3 at 4096 tokens (section 13 of the specification).</summary>
    public static (double Main, double Mtp) TrainingOperations(ModelConfig c, int sequenceLength)
    {
        double layers = 0;
        for (int l = 0; l < c.Layers; l++) layers += LayerOperations(c, c.IsMixtureOfExperts(l), sequenceLength);
        double module = LayerOperations(c, c.IsMixtureOfExperts(c.Layers), sequenceLength) + 2 * (MtpProjectionWeights(c) + VocabularyWeights(c));
        return (3 * (layers + 2 * VocabularyWeights(c)), 3 * c.MtpLayers * module);
    }

    /// <summary>Bytes of a token's hidden state on its way to one place of its experts.</summary>
    public static double DispatchBytes(ModelConfig c, bool fp8) => fp8 ? c.HiddenSize + (double)ScaleBytes * c.HiddenSize / ScaleGroup : 2.0 * c.HiddenSize;

    /// <summary>Bytes of a result on its way back: BF16.</summary>
    public static double CombineBytes(ModelConfig c) => 2.0 * c.HiddenSize;

    private static double LayerOperations(ModelConfig c, bool experts, int sequenceLength) => 2 * (AttentionWeights(c) + ActiveMlpWeights(c, experts)) + CoreAttention(c, sequenceLength);
}
