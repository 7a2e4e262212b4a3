using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Training;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>A model of eight layers with shared and routed experts and an MTP module, small enough to be trained by eight ranks on two cores.</summary>
internal static class SmallRun
{
    public static ModelConfig Config { get; } = new()
    {
        VocabularySize = 61,
        HiddenSize = 32,
        Layers = 8,
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

    public static RunConfig Of(ParallelSettings? parallel) => new()
    {
        Model = (JsonObject)JsonNode.Parse(Config.ToJson())!,
        Tokenizer = "tokenizer.json",
        Data = ["text"],
        Steps = 10,
        Seed = 7,
        SequenceLength = 24,
        BatchSequences = 16,
        MicroBatchSequences = 1,
        Parallel = parallel,
        Optimizer = new OptimizerSettings { LearningRate = 3e-4, FinalLearningRate = 3e-5, WarmupSteps = 2, Epsilon = 1e-6 },
    };

    /// <summary>Trains, on threads where the run has several ranks.</summary>
    public static Result Train(RunConfig run, int steps) => Train(run, Config, new Counting(Config.VocabularySize), steps);

    /// <summary>Trains any model.</summary>
    public static Result Train(RunConfig run, ModelConfig config, IBatchSource source, int steps)
    {
        if (run.Parallel is null)
        {
            using var backend = new CpuBackend(1);
            var engine = new LocalEngine(run, config, backend);
            return Train(run, config, source, steps, engine, () => Read(backend, engine.Model.Named));
        }

        var shared = new SharedBatches(source);
        var ranks = InProcessRanks.Run(run.Parallel.Ranks, world =>
        {
            using var backend = new CpuBackend(1);
            var engine = new ParallelEngine(run, config, backend, world);
            return Train(run, config, shared, steps, engine, () =>
            {
                // Every rank has the sums of its own part.
                foreach (var set in engine.Model.Sets.Where(s => s.Parameters.Count > 0))
                {
                    long part = set.Parameters.Count / set.Copies.Size;
                    set.Copies.AllGather(set.Parameters.Gradients.ElementRange(set.Copies.Rank * part, part), set.Parameters.Gradients).Wait();
                }

                return Read(backend, engine.Named);
            });
        });
        return Merge(ranks);
    }

    private static Result Train(RunConfig run, ModelConfig config, IBatchSource source, int steps, ITrainingEngine engine, Func<Dictionary<string, float[]>> gradients)
    {
        var result = new Result();
        var observed = new ObservedEngine(engine, () => result.Gradients.Add(gradients()));
        using var trainer = new Trainer(run, config, source, () => observed, _ => throw new InvalidOperationException("These runs have no average."));
        for (int s = 1; s <= steps; s++) result.Metrics.Add(trainer.Step(s));
        return result;
    }

    // Whatever ranks have in common, they have the same bits of it.
    private static Result Merge(Result[] ranks)
    {
        for (int s = 0; s < ranks[0].Gradients.Count; s++)
        {
            foreach (var other in ranks[1..])
            {
                foreach (var (name, values) in other.Gradients[s])
                {
                    if (!ranks[0].Gradients[s].TryAdd(name, values)) Assert.Equal(ranks[0].Gradients[s][name], values);
                }

                Assert.Equal(Text(ranks[0].Metrics[s]), Text(other.Metrics[s]));
            }
        }

        return ranks[0];
    }

    private static string Text(StepMetrics metrics) => JsonSerializer.Serialize(metrics with { TokensPerSecond = 0 });

    private static Dictionary<string, float[]> Read(CpuBackend backend, IEnumerable<NamedParameter> parameters) => parameters.ToDictionary(p => p.Name, p =>
    {
        var values = new float[p.Value.Gradient.Count];
        backend.Read(p.Value.Gradient, values);
        return values;
    });

    internal sealed class Result
    {
        public List<StepMetrics> Metrics { get; } = [];

        /// <summary>Of each step, under the names of a checkpoint.</summary>
        public List<Dictionary<string, float[]>> Gradients { get; } = [];
    }
}
