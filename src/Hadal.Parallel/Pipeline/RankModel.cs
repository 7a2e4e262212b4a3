using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Experts;
using Hadal.Parallel.Layout;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Sharding;
using Hadal.Training.Experts;
using Hadal.Training.Layers;
using Hadal.Training.Model;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;

namespace Hadal.Parallel.Pipeline;

/// <summary>What one rank holds of the model: a stage for each direction of the schedule, with its share of the experts, and its share of the optimizer's state.</summary>
/// <remarks>
/// Parameters are in up to three sets, by which ranks have copies of them: the embedding (the first and the last stage; under DualPipe and DualPipeV these meet on a rank, where embedding, head and MTP
/// modules are then there once: report section 3.2.3), routed experts, and everything else. Ranks with copies declare them in the same order.
/// </remarks>
internal sealed class RankModel : IDisposable
{
    private readonly RotaryTensors _rotary;

    /// <param name="backend">Where this rank computes; not owned.</param>
    /// <param name="config">The whole model.</param>
    /// <param name="longest">Tokens of the longest sequence.</param>
    /// <param name="options">How it is trained; experts live where <paramref name="dispatch"/> says.</param>
    /// <param name="layout">How the job is cut.</param>
    /// <param name="stages">Which stage lies where.</param>
    /// <param name="layers">Layers of each stage.</param>
    /// <param name="groups">Of this rank.</param>
    /// <param name="dispatch">Carries rows to experts on other ranks; null if all are here.</param>
    /// <param name="settings">Of AdamW.</param>
    public RankModel(
        IBackend backend, ModelConfig config, int longest, TrainingOptions options, ParallelLayout layout, StageLayout stages, int[] layers, RankGroups groups, ExpertDispatch? dispatch, OptimizerSettings settings)
    {
        options = options with { Exchange = dispatch };
        options.Check(config);
        Config = config;
        int rank = groups.Place.Pipeline;
        var (embedded, dense, experts) = (new ParameterSet(backend), new ParameterSet(backend), new ParameterSet(backend));
        _rotary = new RotaryTensors(backend, config, longest);
        var embedding = Embeds(config, stages, rank) ? new EmbeddingLayer(embedded, config.VocabularySize, config.HiddenSize) : null;
        Stages = new ModelStage[stages.Directions];

        // In the order of the stages, which is the same on the mirrored rank.
        foreach (int direction in Enumerable.Range(0, Stages.Length).OrderBy(d => stages.Stage(rank, d)))
        {
            var part = PartOf(layers, stages.Stage(rank, direction));
            Stages[direction] = new ModelStage(backend, new StageParameters(dense, experts), config, part, options, embedding, _rotary);
        }

        Sets =
        [
            new ShardedParameters(backend, embedded, groups.Embedding, settings, options.Moments),
            new ShardedParameters(backend, dense, groups.Copies, settings, options.Moments),
            new ShardedParameters(backend, experts, groups.ExpertCopies, settings, options.Moments),
        ];
    }

    public ModelConfig Config { get; }

    /// <summary>The stage of each direction.</summary>
    public ModelStage[] Stages { get; }

    /// <summary>Embedding, experts, and the rest; some may have no parameters here.</summary>
    public IReadOnlyList<ShardedParameters> Sets { get; }

    /// <summary>Every parameter of this rank under its checkpoint name.</summary>
    public IEnumerable<NamedParameter> Named => Sets.SelectMany(s => s.Parameters.Named);

    /// <summary>Expert layers of this rank, with their number among the expert layers of the whole model.</summary>
    public IEnumerable<(int Number, MixtureOfExperts Layer)> ExpertLayers
    {
        get
        {
            foreach (var stage in Stages)
            {
                for (int i = 0; i < stage.ExpertLayers.Count; i++) yield return (stage.ExpertLayerNumbers[i], stage.ExpertLayers[i]);
            }
        }
    }

    /// <summary>Whether a pipeline place looks tokens up.</summary>
    public static bool Embeds(ModelConfig config, StageLayout stages, int rank) =>
        Enumerable.Range(0, stages.Directions).Select(d => stages.Stage(rank, d)).Any(s => s == 0 || (s == stages.Stages - 1 && config.MtpLayers > 0));

    public void Dispose()
    {
        foreach (var (_, layer) in ExpertLayers) layer.Dispose();
        foreach (var set in Sets) set.Dispose();
        _rotary.Dispose();
    }

    private static StagePart PartOf(int[] layers, int stage)
    {
        int first = layers.Take(stage).Sum();
        return new StagePart(first, first + layers[stage], stage == 0, stage == layers.Length - 1);
    }
}
