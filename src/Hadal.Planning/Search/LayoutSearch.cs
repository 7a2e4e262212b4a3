using Hadal.Model.Configuration;
using Hadal.Parallel.Schedules;
using Hadal.Planning.Plans;
using Hadal.Planning.Training;

namespace Hadal.Planning.Search;

/// <summary>Tries the layouts of a plan's devices: every schedule, all divisors up to 64, and larger powers of two, as pipeline ranks and as devices for the experts, every recomputation.</summary>
public static class LayoutSearch
{
    /// <summary>The longest pipeline that is tried.</summary>
    private const int MostRanks = 64;

    /// <summary>Proposes layouts.</summary>
    /// <param name="plan">Model, devices, batch and precision; its layout is one of those that are tried.</param>
    /// <param name="count">How many to propose.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <returns>The fastest that fit.</returns>
    /// <exception cref="OperationCanceledException">The search was ended.</exception>
    public static LayoutProposal Propose(TrainingPlan plan, int count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var fitting = new List<TrainingForecast>();
        var fallen = new List<(string Reason, TrainingLayout Layout, double Distance, string Sentence)>();
        foreach (var layout in Layouts(plan))
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var forecast = TrainingPlanner.Forecast(plan with { Layout = layout });
                if (forecast.Fits) fitting.Add(forecast);
                else fallen.Add(("too little memory", layout, forecast.Memory.Total, TrainingPlanner.MemoryProblem(forecast)));
            }
            catch (ConfigException e)
            {
                fallen.Add((Reason(e), layout, 0, e.Message[(plan.Name.Length + 2)..^1]));
            }
        }

        // The example is the layout that lacks least. Of layouts that are equally fast, the one that needs less memory.
        return new LayoutProposal(
            [.. fitting.OrderBy(f => f.StepSeconds).ThenBy(f => f.Memory.Total).Take(count)], fitting.Count,
            [.. fallen.GroupBy(f => f.Reason).OrderByDescending(g => g.Count()).Select(g => new FallenLayouts(g.Key, g.Count(), g.MinBy(f => f.Distance).Layout, g.MinBy(f => f.Distance).Sentence))]);
    }

    private static string Reason(ConfigException e) => e.Field switch
    {
        "layout.experts" => "experts cannot be shared out",
        "layout.schedule" => "the schedule does not allow it",
        "layout.pipeline" => "too many stages for the layers",
        "batch_sequences" => "the batch cannot be shared out",
        _ => "other",
    };

    private static IEnumerable<TrainingLayout> Layouts(TrainingPlan plan)
    {
        int devices = plan.Layout.Devices;
        foreach (int pipeline in Divisors(devices).Where(p => p <= MostRanks))
        {
            foreach (int experts in Divisors(devices / pipeline).Where(e => e <= Math.Max(1, plan.Model.RoutedExperts) && (e == 1 || e >= plan.Cluster.DevicesPerNode)))
            {
                // Where one device alone is the pipeline, schedules differ in nothing.
                foreach (var kind in pipeline == 1 ? [ScheduleKind.OneForwardOneBackward] : Enum.GetValues<ScheduleKind>())
                    foreach (var recompute in Enum.GetValues<Recomputation>())
                        yield return plan.Layout with { Pipeline = pipeline, Experts = experts, Schedule = kind.Name(), Recompute = recompute, LayersPerStage = null };
            }
        }
    }

    private static IEnumerable<int> Divisors(int number) => Enumerable.Range(1, number).Where(d => number % d == 0 && (d <= MostRanks || (d & (d - 1)) == 0));
}
