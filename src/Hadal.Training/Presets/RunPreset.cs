using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Training.Presets;

/// <summary>A model and a recipe under a name, from which a run file is made.</summary>
public sealed record RunPreset
{
    // Names of what a person puts beside a written run file, unless they say where text and tokenizer are.
    private const string TokenizerName = "tokenizer", TextName = "text";

    /// <summary>DeepSeek-V3's architecture with every part there, so small that a step takes milliseconds: to see that everything works.</summary>
    public static RunPreset Tiny { get; } = new()
    {
        Name = "tiny",
        Description = "every part of the architecture, steps of milliseconds",
        TakesVocabulary = true,
        Model = new ModelConfig
        {
            VocabularySize = 512,
            HiddenSize = 64,
            Layers = 2,
            MtpLayers = 1,
            Heads = 4,
            QueryLatentRank = 32,
            LatentRank = 32,
            NopeWidth = 16,
            RopeWidth = 8,
            ValueWidth = 16,
            DenseWidth = 160,
            ExpertWidth = 32,
            RoutedExperts = 8,
            SharedExperts = 1,
            ExpertsPerToken = 2,
            DenseLayers = 1,
            Groups = 4,
            KeptGroups = 2,
            MaxPositions = 512,
            InitializerRange = 0.02,
            WeightType = Numerics.DType.F32,
        },
        Recipe = new RunConfig
        {
            Steps = 200,
            ValidateEvery = 50,
            ValidationSequences = 64,
            SequenceLength = 64,
            BatchSequences = 8,
            MicroBatchSequences = 8,
            BiasUpdateRate = 0.01,
            Optimizer = new OptimizerSettings { LearningRate = 4e-3, FinalLearningRate = 2e-4, WarmupSteps = 20, DecayStart = 0.3, DecayEnd = 1 },
        },
    };

    /// <summary>
    /// What <c>hadal quickstart</c> trains. Four layers of 192, latent attention with a query latent, one dense layer, sixteen routed experts in four groups and a
    /// shared one, one MTP module. The head is the largest product of so small a model, so the vocabulary is kept small too.
    /// </summary>
    public static RunPreset Quickstart { get; } = new()
    {
        Name = "quickstart",
        Description = "what hadal quickstart trains: 3 million parameters, a few minutes",
        TakesVocabulary = true,
        Model = new ModelConfig
        {
            VocabularySize = 2048,
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
        },
        Recipe = new RunConfig
        {
            Steps = 1000,
            ValidateEvery = 100,
            ValidationShare = 0.02,
            ValidationSequences = 128,
            SequenceLength = 128,
            BatchSequences = 8,
            MicroBatchSequences = 8,

            // The report's 0.001 is for a quarter of a million steps; here there are about a thousand.
            BiasUpdateRate = 0.01,
            Optimizer = new OptimizerSettings { LearningRate = 4e-3, FinalLearningRate = 2e-4, WarmupSteps = 40, DecayStart = 0.3, DecayEnd = 1 },
        },
    };

    /// <summary>
    /// The shape of the report's small baseline for its ablations: 15.7 billion parameters, 2.4 billion of them active, 1.33 trillion tokens (report tables 4
    /// and 5). The report gives no more of it; widths, vocabulary and layers are those of DeepSeek-V2-Lite, which has these two counts; the router is the report's
    /// (sigmoid, gates divided by their sum, biases) with the gate factor that Moonlight published for this shape; rates, their two drops by √0.1 and the batch are
    /// V2-Lite's (V2 report, appendix B); everything else is V3's.
    /// </summary>
    public static RunPreset SmallMoe { get; } = new()
    {
        Name = "small-moe-16b-shape",
        Description = "the shape of the report's 15.7B model for ablations (2.4B active), 1.33T tokens",
        Model = new ModelConfig
        {
            VocabularySize = 102400,
            HiddenSize = 2048,
            Layers = 27,
            MtpLayers = 1,
            Heads = 16,
            QueryLatentRank = null,
            LatentRank = 512,
            NopeWidth = 128,
            RopeWidth = 64,
            ValueWidth = 128,
            DenseWidth = 10944,
            ExpertWidth = 1408,
            RoutedExperts = 64,
            SharedExperts = 2,
            ExpertsPerToken = 6,
            DenseLayers = 1,
            Groups = 1,
            KeptGroups = 1,
            GateScale = 2.446,
            InitializerRange = 0.006,
            BeginToken = 100000,
            EndTokens = [100001],
        },
        Recipe = InSteps(1_330_000_000_000, new RunConfig
        {
            CheckpointEvery = 500,
            ValidateEvery = 500,
            ValidationShare = 1e-5,
            ValidationSequences = 1024,
            SequenceLength = 4096,
            BatchSequences = 4608,
            Precision = "fp8",
            SaveDType = "bfloat16",
            Optimizer = new OptimizerSettings
            {
                LearningRate = 4.2e-4,
                FinalLearningRate = 1.3272e-4,
                WarmupSteps = 2000,
                DecayStart = 0.8,
                DecayEnd = 0.8,
                LearningRateChanges = [new ValueChange(0.9, 4.194e-5)],
            },
        }),
    };

    /// <summary>
    /// DeepSeek-V3 as the report trained it (section 4.2): the architecture of its <c>config.json</c> without YaRN, which comes after pre-training; weights from
    /// N(0, 0.006²); FP8; 14.8 trillion tokens. Not in the report and chosen here: ε, that norms decay too, a ramp linear in tokens, how often to save.
    /// </summary>
    public static RunPreset V3 { get; } = new()
    {
        Name = "v3",
        Description = "DeepSeek-V3 with the report's recipe: 671B parameters, 14.8T tokens",
        Model = new ModelConfig { InitializerRange = 0.006 },
        Recipe = InSteps(14_800_000_000_000, new RunConfig
        {
            CheckpointEvery = 500,
            ValidateEvery = 500,
            ValidationShare = 1e-6,
            ValidationSequences = 1024,
            SequenceLength = 4096,
            BatchSequences = 15360,
            BatchRamp = new BatchRamp(3072, 469e9),
            Precision = "fp8",
            SaveDType = "bfloat16",
            MtpWeight = 0.3,
            MtpWeightChanges = [new ValueChange(10e12, 0.1)],
            BalanceWeight = 1e-4,
            BiasUpdateRate = 1e-3,
            BiasUpdateRateChanges = [new ValueChange(14.3e12, 0)],
            Optimizer = new OptimizerSettings
            {
                LearningRate = 2.2e-4,
                FinalLearningRate = 2.2e-5,
                WarmupSteps = 2000,
                DecayStart = 10e12,
                DecayEnd = 14.3e12,

                // 333 billion tokens at the final rate, then 167 billion.
                LearningRateChanges = [new ValueChange(14.633e12, 7.3e-6)],
                Beta1 = 0.9,
                Beta2 = 0.95,
                WeightDecay = 0.1,
                ClipNorm = 1,
            },
        }),
    };

    private RunPreset()
    {
    }

    /// <summary>All presets, the smallest first.</summary>
    public static IReadOnlyList<RunPreset> All { get; } = [Tiny, Quickstart, SmallMoe, V3];

    /// <summary>The word that stands for it.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, as the end of a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Its model.</summary>
    public required ModelConfig Model { get; init; }

    /// <summary>The settings of the run, without model, tokenizer and data.</summary>
    public required RunConfig Recipe { get; init; }

    /// <summary>Whether the model takes the size of its vocabulary from the tokenizer.</summary>
    public bool TakesVocabulary { get; init; }

    /// <summary>The preset of a name; null if there is none.</summary>
    /// <param name="name">The word.</param>
    /// <returns>The preset.</returns>
    public static RunPreset? Find(string? name) => All.FirstOrDefault(p => p.Name == name);

    /// <summary>The run file.</summary>
    /// <param name="tokenizer">A tokenizer, relative to where the run file will lie; null for a folder <c>tokenizer</c> beside it.</param>
    /// <param name="data">Files and folders of text; empty for a folder <c>text</c> beside it.</param>
    /// <param name="vocabularySize">Entries of the tokenizer; null if they are not known. Without effect unless <see cref="TakesVocabulary"/>.</param>
    /// <returns>A valid run.</returns>
    public RunConfig ToRun(string? tokenizer, IReadOnlyList<string> data, int? vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(data);
        var model = TakesVocabulary && vocabularySize is { } size ? Model with { VocabularySize = size } : Model;
        return Recipe with { Model = (JsonObject)JsonNode.Parse(model.ToJson())!, Tokenizer = tokenizer ?? TokenizerName, Data = data.Count > 0 ? data : [TextName] };
    }

    private static RunConfig InSteps(long tokens, RunConfig run) => run with { Steps = checked((int)new BatchSchedule(run).StepsFor(tokens)) };
}
