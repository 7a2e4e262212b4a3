using System.Diagnostics;
using Hadal.Parallel.Experts;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Traces;

/// <summary>The lanes of one rank: operations; their parts; rows under way; what the rank waits for.</summary>
internal static class RankLanes
{
    private static readonly string[] _parts =
    [
        "attention", "MLP", "end", "losses", "begin of backward", "MLP backward", "MLP weights", "attention backward", "attention weights", "embedding weights",
    ];

    /// <summary>Makes the lanes.</summary>
    /// <param name="rank">Of all ranks.</param>
    /// <param name="events">What it did.</param>
    /// <param name="zero">The common moment by its clock.</param>
    public static List<TimelineLane> Of(int rank, StepEvents events, long zero)
    {
        var lanes = new List<TimelineLane>
        {
            new($"rank {rank}", [.. events.Operations.Select(e => new TimelineSpan(e.What, Seconds(e.Started), Seconds(e.Ended)))]),
            new($"rank {rank}: parts", [.. events.Parts.Select(e => Span($"{_parts[(int)e.What.Part]}, layer {e.What.Layer}", e.Started, e.Ended))]),
        };
        if (events.Carriages.Count > 0) lanes.Add(new($"rank {rank}: rows under way", [.. events.Carriages.Select(e => Span(e.What.Name(), e.Started, e.Ended))]));
        var waits = events.Messages.Select(e => Span($"messages {Text(e.What)}", e.Started, e.Ended)).Concat(events.Awaited.Select(e => Span($"rows: {e.What.Name()}", e.Started, e.Ended)));
        lanes.Add(new($"rank {rank}: waiting", [.. waits.OrderBy(s => s.Start)]));
        return lanes;

        double Seconds(long ticks) => (ticks - zero) / (double)Stopwatch.Frequency;

        TimelineSpan Span(string name, long started, long ended) => new(name, null, Seconds(started), Seconds(ended));
    }

    private static string Text(IReadOnlyList<ScheduleMessage> messages) => string.Join(' ', messages);
}
