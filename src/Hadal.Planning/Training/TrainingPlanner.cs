using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;
using Hadal.Planning.Plans;

namespace Hadal.Planning.Training;

/// <summary>Plans training runs: costs of chunks from a layer's measured times, the step from a simulation of its real schedule, memory by counting.</summary>
public static class TrainingPlanner
{
    /// <summary>What a plan takes, whether or not its devices have room for it.</summary>
    /// <param name="plan">The plan.</param>
    /// <returns>The forecast; see <see cref="TrainingForecast.Fits"/>.</returns>
    /// <exception cref="ConfigException">The plan cannot be: which field, and what would be right.</exception>
    public static TrainingForecast Forecast(TrainingPlan plan) => Forecast(plan, new ForecastVariant());

    internal static TrainingForecast Forecast(TrainingPlan plan, ForecastVariant variant)
    {
        ArgumentNullException.ThrowIfNull(plan);
        TrainingPlanRules.Check(plan);
        var schedule = Schedule.Create(plan.Layout.Kind, plan.Layout.Pipeline, plan.MicroBatches);
        var stages = StageMap.Of(plan);
        var times = new ChunkTimes(plan);
        StageCosts[] costs = [.. stages.Select(s => Costs(times, s, variant.AloneCompute))];
        var pairs = new PairTime[stages.Length, stages.Length];
        for (int f = 0; f < stages.Length; f++)
            for (int b = 0; b < stages.Length; b++) pairs[f, b] = PairTime.Of(times, stages[f], stages[b]);
        double link = plan.Layout.Devices <= plan.Cluster.DevicesPerNode ? plan.Cluster.NodeGbPerS : plan.Cluster.NetworkGbPerS;
        var message = new MessageCosts(0, 2.0 * plan.MicroBatchTokens * plan.Model.HiddenSize, link * 1e9, variant.MessageEnd);
        var timeline = ScheduleSimulator.Simulate(schedule, new ScheduleCosts(costs, (f, b) => pairs[f, b].Seconds, message));
        bool overlaps = schedule.Kind is ScheduleKind.DualPipe or ScheduleKind.DualPipeV;
        var layout = schedule.Layout;
        int middle = layout.Ranks / 2;
        var typical = overlaps ? pairs[layout.Stage(middle, 0), layout.Stage(middle, 1)] : default;
        return new TrainingForecast(plan, schedule, timeline)
        {
            StageLayers = [.. stages.Select(s => s.Experts.Count)],
            StepEndSeconds = StepEnd.Seconds(plan, layout, stages),
            PairSeconds = typical.Seconds,
            PairExposedFraction = overlaps ? typical.Exposed / typical.Seconds : 0,
            ExposedSeconds = Enumerable.Range(0, layout.Ranks).Average(r => Exposed(timeline.Lanes[r], r, layout, stages, times, pairs)),
            MemoryOfRanks = [.. Enumerable.Range(0, layout.Ranks).Select(r => TrainingMemory.Of(plan, schedule, stages, timeline, r))],
            ChunkBytes = stages.Max(s => ActivationBytes.OfChunk(plan, s)),
        };
    }

    /// <summary>As <see cref="Forecast(TrainingPlan)"/>, and refuses a plan for which the devices are too small.</summary>
    /// <param name="plan">The plan.</param>
    /// <returns>The forecast.</returns>
    /// <exception cref="ConfigException">The plan cannot be, or does not fit.</exception>
    public static TrainingForecast ForecastThatFits(TrainingPlan plan)
    {
        var forecast = Forecast(plan);
        return forecast.Fits ? forecast : throw new ConfigException(plan.Name, "cluster.memory_bytes", MemoryProblem(forecast));
    }

    /// <summary>What a device lacks, as a sentence without a full stop.</summary>
    internal static string MemoryProblem(TrainingForecast forecast)
    {
        var memory = forecast.Memory;
        int rank = forecast.MemoryOfRanks.ToList().IndexOf(memory);
        var largest = memory.Parts().MaxBy(p => p.Bytes);
        return FormattableString.Invariant(
            $"a device of pipeline rank {rank} would need {memory.Total / 1e9:0.0} GB, but has {forecast.Plan.Cluster.MemoryBytes / 1e9:0.0} GB; most of it, {largest.Bytes / 1e9:0.0} GB, are {largest.Name}. More pipeline ranks, more devices for the experts, or more recomputation would need less");
    }

    private static StageCosts Costs(ChunkTimes times, StageContent stage, double alone)
    {
        double forward = times.Forward(stage, alone), backward = times.Backward(stage, alone), weights = alone * times.Weights(stage);
        return new StageCosts(forward, backward + weights, backward, weights);
    }

    private static double Exposed(TimelineLane lane, int rank, StageLayout layout, StageContent[] stages, ChunkTimes times, PairTime[,] pairs) => lane.Spans.Sum(span =>
    {
        var operation = span.Operation!.Value;
        var stage = stages[layout.Stage(rank, operation.Chunk.Direction)];
        return operation.Kind switch
        {
            OperationKind.ForwardAndBackward => pairs[layout.Stage(rank, operation.Chunk.Direction), layout.Stage(rank, operation.Other.Direction)].Exposed,
            OperationKind.WeightGradient => 0,
            OperationKind.Forward => times.Moves(stage),
            _ => times.BackwardMoves(stage),
        };
    });
}
