using System.Diagnostics;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;
using Hadal.Parallel.Training;

namespace Hadal.Parallel.Traces;

/// <summary>Records steps of a real run: what each rank computed, which rows were under way meanwhile, and what it waited for. All ranks of a job record together.</summary>
/// <param name="engine">Of this rank.</param>
/// <param name="backend">What its numbers travel through; not owned.</param>
internal sealed class RunRecorder(ParallelEngine engine, IBackend backend)
{
    /// <summary>Records one step and writes it as Chrome-trace JSON from the first rank; replaces a file that is there.</summary>
    /// <param name="path">The file; looked at on the first rank only.</param>
    /// <param name="step">Takes the step.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Record(string path, Action step)
    {
        if (Record(step) is { } timeline) AtomicFile.Write(path, stream => ChromeTrace.Write(timeline, stream));
    }

    /// <summary>Records one step.</summary>
    /// <param name="step">Takes it.</param>
    /// <returns>Of all ranks, on the first of them; null on the others.</returns>
    public Timeline? Record(Action step)
    {
        var events = new StepEvents();
        var world = engine.Groups.World;
        long zero = StepClock.Meet(world, backend);
        Observe(events);
        try
        {
            step();
        }
        finally
        {
            Observe(null);
        }

        var overlap = CarriageOverlap.Of(events);
        Span<long> sums =
        [
            overlap.Carried, overlap.Hidden, overlap.CarriedInPairs, overlap.HiddenInPairs, events.Messages.Sum(e => e.Ended - e.Started), events.Awaited.Sum(e => e.Ended - e.Started),
        ];
        world.AllReduce(backend, sums);
        var lanes = LaneTransfer.Gather(world, backend, RankLanes.Of(world.Rank, events, zero));
        return world.Rank == 0 ? new Timeline(Title(), FromTheFirst(lanes)) { Figures = Figures(sums) } : null;
    }

    private void Observe(StepEvents? events)
    {
        engine.Executor.Observer = events;
        if (engine.Dispatch is not null) engine.Dispatch.Observer = events;
    }

    private string Title() => $"{engine.Layout.Schedule.Title()}, pipeline {engine.Layout.Pipeline}, experts {engine.Layout.Experts}, data {engine.Layout.Data}, recorded";

    // The step begins when the first rank begins.
    private static TimelineLane[] FromTheFirst(List<TimelineLane> lanes)
    {
        double first = lanes.SelectMany(l => l.Spans).Select(s => s.Start).DefaultIfEmpty(0).Min();
        return [.. lanes.Select(l => new TimelineLane(l.Name, [.. l.Spans.Select(s => s with { Start = s.Start - first, End = s.End - first })]))];
    }

    private static Dictionary<string, double> Figures(ReadOnlySpan<long> sums)
    {
        var figures = new Dictionary<string, double>
        {
            ["waiting_for_messages_seconds"] = Seconds(sums[4]),
            ["waiting_for_rows_seconds"] = Seconds(sums[5]),
            ["rows_under_way_seconds"] = Seconds(sums[0]),
        };
        if (sums[0] > 0) figures["hidden_fraction"] = (double)sums[1] / sums[0];
        if (sums[2] > 0) figures["hidden_fraction_in_pairs"] = (double)sums[3] / sums[2];
        return figures;
    }

    private static double Seconds(long ticks) => ticks / (double)Stopwatch.Frequency;
}
