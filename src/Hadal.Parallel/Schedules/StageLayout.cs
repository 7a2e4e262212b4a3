namespace Hadal.Parallel.Schedules;

/// <summary>Which stage of the model lies on which rank in which direction.</summary>
/// <remarks>
/// 1F1B and ZB1P: rank r holds stage r. DualPipe: rank r holds stage r for direction 0 and stage P − 1 − r for direction 1, so every stage is there twice. DualPipeV: rank r holds
/// stage r for the first pass and stage 2P − 1 − r for the second, so every stage is there once.
/// </remarks>
public sealed class StageLayout
{
    internal StageLayout(ScheduleKind kind, int ranks) => (Kind, Ranks) = (kind, ranks);

    /// <summary>The kind of schedule.</summary>
    public ScheduleKind Kind { get; }

    /// <summary>Ranks of the pipeline, P.</summary>
    public int Ranks { get; }

    /// <summary>Directions: 1, or 2 in DualPipe and DualPipeV. A rank holds one stage for each.</summary>
    public int Directions => Kind is ScheduleKind.DualPipe or ScheduleKind.DualPipeV ? 2 : 1;

    /// <summary>Stages that the model is cut into: P, or 2P in DualPipeV.</summary>
    public int Stages => Kind == ScheduleKind.DualPipeV ? 2 * Ranks : Ranks;

    /// <summary>Ranks that hold a copy of each stage: 2 in DualPipe, otherwise 1.</summary>
    public int Copies => Kind == ScheduleKind.DualPipe ? 2 : 1;

    /// <summary>The stage that a rank holds for a direction.</summary>
    /// <param name="rank">0 to P − 1.</param>
    /// <param name="direction">0 or 1.</param>
    /// <returns>0 is the stage with the embedding.</returns>
    public int Stage(int rank, int direction) => direction == 0 ? rank : Stages - 1 - rank;

    /// <summary>The place whose outputs a place takes in.</summary>
    /// <param name="place">A place.</param>
    /// <returns>Null for the first stage. In DualPipeV it can be on the same rank: then nothing is sent.</returns>
    public SchedulePlace? Before(SchedulePlace place) => Neighbour(place, -1);

    /// <summary>The place that takes in the outputs of a place.</summary>
    /// <param name="place">A place.</param>
    /// <returns>Null for the last stage. In DualPipeV it can be on the same rank: then nothing is sent.</returns>
    public SchedulePlace? After(SchedulePlace place) => Neighbour(place, 1);

    private SchedulePlace? Neighbour(SchedulePlace place, int step)
    {
        int stage = Stage(place.Rank, place.Direction) + step;
        if (stage < 0 || stage >= Stages) return null;
        if (Kind == ScheduleKind.DualPipeV) return stage < Ranks ? new SchedulePlace(stage, 0) : new SchedulePlace(Stages - 1 - stage, 1);
        return new SchedulePlace(place.Direction == 0 ? stage : Ranks - 1 - stage, place.Direction);
    }
}
