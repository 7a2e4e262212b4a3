using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Training.Batches;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests;

/// <summary>A model of a few thousand parameters and a source of learnable sequences.</summary>
internal static class TinyRun
{
    public static ModelConfig Config { get; } = new()
    {
        VocabularySize = 61,
        HiddenSize = 32,
        Layers = 2,
        MtpLayers = 1,
        Heads = 2,
        QueryLatentRank = 12,
        LatentRank = 10,
        NopeWidth = 8,
        RopeWidth = 4,
        ValueWidth = 8,
        DenseWidth = 40,
        ExpertWidth = 12,
        RoutedExperts = 8,
        SharedExperts = 1,
        ExpertsPerToken = 2,
        DenseLayers = 1,
        Groups = 4,
        KeptGroups = 2,
        MaxPositions = 64,
        InitializerRange = 0.05,
    };

    public static RunConfig Run { get; } = new()
    {
        Model = (JsonObject)JsonNode.Parse(Config.ToJson())!,
        Tokenizer = "tokenizer.json",
        Data = ["text"],
        Steps = 6,
        Seed = 7,
        SequenceLength = 24,
        BatchSequences = 4,
        MicroBatchSequences = 2,
        Optimizer = new OptimizerSettings { LearningRate = 3e-3, FinalLearningRate = 3e-4, WarmupSteps = 2 },
    };

    /// <summary>Counting sequences: the next token is the last one plus a stride, so that a few steps learn something.</summary>
    internal sealed class Counting : IBatchSource
    {
        public void Fill(long stepNumber, int microBatch, PackedBatch batch)
        {
            int row = batch.Length + 1;
            for (int b = 0; b < batch.Sequences; b++)
            {
                int sequence = microBatch * batch.Sequences + b, stride = 1 + (sequence & 1);
                int start = (int)((stepNumber * 31 + sequence * 11) % Config.VocabularySize);
                for (int i = 0; i < row; i++) batch.Tokens[b * row + i] = (start + i * stride) % Config.VocabularySize;
            }
        }
    }
}
