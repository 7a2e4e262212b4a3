using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Simulation;

/// <summary>Costs as a recorded run shows them, to time the same or another schedule with.</summary>
public static class MeasuredCosts
{
    /// <summary>The median of each operation on each stage. Where a run has no whole backward, or only whole ones, the parts are made from what there is.</summary>
    /// <param name="schedule">What was run.</param>
    /// <param name="recorded">When; its first lanes with operations are the ranks, in order.</param>
    /// <param name="message">What a message costs, which no recording of operations shows.</param>
    /// <returns>The costs.</returns>
    /// <exception cref="ArgumentException">The recording is of another number of ranks, or lacks forwards or backwards of a stage.</exception>
    public static ScheduleCosts Of(Schedule schedule, Timeline recorded, MessageCosts message)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(recorded);
        ArgumentNullException.ThrowIfNull(message);
        TimelineLane[] lanes = [.. recorded.Lanes.Where(l => l.HasOperations)];
        if (lanes.Length != schedule.Ranks.Count) throw new ArgumentException($"The recording has {lanes.Length} ranks; the schedule has {schedule.Ranks.Count}.", nameof(recorded));
        var seen = new Dictionary<(OperationKind Kind, int Stage, int Other), List<double>>();
        for (int r = 0; r < lanes.Length; r++)
        {
            foreach (var span in lanes[r].Spans)
            {
                if (span.Operation is not { } o) continue;
                var key = (o.Kind, schedule.Layout.Stage(r, o.Chunk.Direction), o.Kind == OperationKind.ForwardAndBackward ? schedule.Layout.Stage(r, o.Other.Direction) : 0);
                (seen.TryGetValue(key, out var list) ? list : seen[key] = []).Add(span.Duration);
            }
        }

        var times = seen.ToDictionary(s => s.Key, s => Median(s.Value));
        double? Time(OperationKind kind, int stage) => times.TryGetValue((kind, stage, 0), out double t) ? t : null;
        StageCosts Stage(int stage)
        {
            double forward = Time(OperationKind.Forward, stage) ?? throw Missing("forward", stage);
            double? whole = Time(OperationKind.Backward, stage), inputs = Time(OperationKind.BackwardForInputs, stage), weights = Time(OperationKind.WeightGradient, stage);

            // Half of a backward is for weights where nothing says otherwise: as many products as for inputs.
            double backward = whole ?? inputs + weights ?? throw Missing("backward", stage);
            return new StageCosts(forward, backward, inputs ?? backward / 2, weights ?? backward / 2);
        }

        StageCosts[] stages = [.. Enumerable.Range(0, schedule.Layout.Stages).Select(Stage)];
        return new ScheduleCosts(stages, (f, b) => times.TryGetValue((OperationKind.ForwardAndBackward, f, b), out double t) ? t : stages[f].Forward + stages[b].Backward, message);
    }

    private static ArgumentException Missing(string what, int stage) => new($"The recording has no {what} of stage {stage} that runs alone.");

    private static double Median(List<double> values)
    {
        values.Sort();
        int middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
