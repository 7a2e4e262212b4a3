using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Layout;

/// <summary>How a training job is cut over its ranks: pipeline × data-parallel × expert-parallel.</summary>
/// <remarks>
/// Rank = (p·D + d)·E + e. The D·E ranks of a pipeline place each train on micro-batches of their own; every E ranks in a row share out the routed experts of their stages among them; everything else
/// all of them have (report section 3.2: 16 × 2 × 64 for V3).
/// </remarks>
internal sealed class ParallelLayout
{
    /// <param name="schedule">How the pipeline's ranks take turns.</param>
    /// <param name="pipeline">P.</param>
    /// <param name="data">D.</param>
    /// <param name="experts">E.</param>
    public ParallelLayout(ScheduleKind schedule, int pipeline, int data, int experts) => (Schedule, Pipeline, Data, Experts) = (schedule, pipeline, data, experts);

    public ScheduleKind Schedule { get; }

    public int Pipeline { get; }

    public int Data { get; }

    public int Experts { get; }

    /// <summary>Ranks in all.</summary>
    public int Ranks => Pipeline * Data * Experts;

    /// <summary>Ranks of a pipeline place: as many micro-batches are trained on at a time.</summary>
    public int Replicas => Data * Experts;

    /// <summary>Stages that the model is cut into.</summary>
    public int Stages => Schedule == ScheduleKind.DualPipeV ? 2 * Pipeline : Pipeline;

    /// <summary>The place of a rank.</summary>
    public RankPlace PlaceOf(int rank) => new(rank / Replicas, rank / Experts % Data, rank % Experts);

    /// <summary>Places whose ranks hold the same parameters have the same number: in DualPipe a place and its mirror.</summary>
    public int CopyOf(int pipeline) => Schedule == ScheduleKind.DualPipe ? Math.Min(pipeline, Pipeline - 1 - pipeline) : pipeline;

    /// <summary>Micro-batches of one rank in a step.</summary>
    /// <param name="microBatches">Of all ranks.</param>
    /// <exception cref="ConfigException">They cannot be shared out.</exception>
    public int MicroBatchesOf(int microBatches)
    {
        if (microBatches % Replicas != 0)
        {
            throw new ConfigException("run file", "parallel", $"a step has {microBatches} micro-batches, but with data {Data} and experts {Experts} it has to have a multiple of {Replicas}");
        }

        return microBatches / Replicas;
    }

    /// <summary>The layers of each stage.</summary>
    /// <param name="config">The model.</param>
    /// <param name="given">Layers of each stage as somebody wants them; none to share them out evenly, the stages in the middle first where that does not come out even.</param>
    /// <exception cref="ConfigException">There are fewer layers than stages, or the given ones do not add up.</exception>
    public int[] LayersOfStages(ModelConfig config, IReadOnlyList<int> given)
    {
        int stages = Stages;
        if (given.Count > 0)
        {
            return given.Count == stages && given.All(n => n > 0) && given.Sum() == config.Layers
                ? [.. given]
                : throw new ConfigException("run file", "parallel.stage_layers", $"parallel.stage_layers is [{string.Join(", ", given)}], but has to have {stages} numbers above 0 that add up to {config.Layers}, the layers of the model");
        }

        if (config.Layers < stages)
            throw new ConfigException("run file", "parallel", $"the model has {config.Layers} layers, but a pipeline of {Pipeline} ranks with this schedule has {stages} stages, each of which needs one");
        var layers = new int[stages];
        Array.Fill(layers, config.Layers / stages);

        // Embedding and head make the outer stages longer.
        int rest = config.Layers % stages, first = (stages - rest) / 2;
        for (int s = first; s < first + rest; s++) layers[s]++;
        return layers;
    }
}
