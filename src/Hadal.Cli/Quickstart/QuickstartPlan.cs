using System.Text.Json.Nodes;
using Hadal.Cli.Wiring;
using Hadal.Model.Configuration;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Cli.Quickstart;

/// <summary>The model and the settings of <c>hadal quickstart</c>: DeepSeek-V3's architecture with every part there, small enough to learn something in minutes.</summary>
internal static class QuickstartPlan
{
    /// <summary>Tokens of the tokenizer that is trained.</summary>
    public const int VocabularySize = 4096;

    /// <summary>
    /// Four layers of 192, latent attention with a query latent, one dense layer, sixteen routed experts in four groups and a shared one, one MTP module. The head
    /// is the largest product of so small a model, so the vocabulary is kept small too.
    /// </summary>
    public static ModelConfig Model(int vocabularySize) => new()
    {
        VocabularySize = vocabularySize,
        HiddenSize = 192,
        Layers = 4,
        MtpLayers = 1,
        Heads = 6,
        QueryLatentRank = 96,
        LatentRank = 64,
        NopeWidth = 32,
        RopeWidth = 16,
        ValueWidth = 32,
        DenseWidth = 512,
        ExpertWidth = 96,
        RoutedExperts = 16,
        SharedExperts = 1,
        ExpertsPerToken = 4,
        DenseLayers = 1,
        Groups = 4,
        KeptGroups = 2,
        MaxPositions = 2048,
        InitializerRange = 0.02,
        WeightType = Numerics.DType.F32,
    };

    /// <summary>The run, of one step until <see cref="For"/> is told how many there is time for.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Files and folders beside the SDK's documentation; relative to the run's folder.</param>
    /// <param name="seed">Seed of weights and data order.</param>
    public static RunConfig Run(ModelConfig model, IEnumerable<string> data, ulong seed) => new()
    {
        Model = (JsonObject)JsonNode.Parse(model.ToJson())!,
        Tokenizer = "tokenizer",
        Data = [TrainingText.DotnetDocumentationName, .. data],
        ValidationShare = 0.02,
        ValidationSequences = 128,
        Steps = 1,
        Seed = seed,
        SequenceLength = 128,
        BatchSequences = 16,
        MicroBatchSequences = 16,
    };

    /// <summary>The run cut to a number of steps: warm-up, peak and decay in proportion.</summary>
    public static RunConfig For(this RunConfig run, int steps) => run with
    {
        Steps = steps,
        ValidateEvery = Math.Max(1, steps / 10),
        Optimizer = new OptimizerSettings
        {
            LearningRate = 4e-3,
            FinalLearningRate = 2e-4,
            WarmupSteps = Math.Min(40, Math.Max(1, steps / 10)),
            DecayStart = 0.3,
            DecayEnd = 1,
        },
    };
}
