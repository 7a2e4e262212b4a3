namespace Hadal.Parallel.Timelines;

/// <summary>What one rank did, or one stream of a rank: spans in the order of time, one after the other.</summary>
public sealed class TimelineLane
{
    /// <summary>A lane.</summary>
    /// <param name="name">What stands beside it, such as <c>rank 3</c>.</param>
    /// <param name="spans">In the order of their starts.</param>
    public TimelineLane(string name, IReadOnlyList<TimelineSpan> spans)
    {
        (Name, Spans) = (name, spans);
        Busy = spans.Where(s => s.Operation is not null).Sum(s => s.Duration);
        Activations = ActivationCurve.Of(spans);
    }

    /// <summary>What stands beside it.</summary>
    public string Name { get; }

    /// <summary>In the order of their starts.</summary>
    public IReadOnlyList<TimelineSpan> Spans { get; }

    /// <summary>Seconds in operations of the schedule.</summary>
    public double Busy { get; }

    /// <summary>Chunks whose activations the rank holds, over time.</summary>
    public ActivationCurve Activations { get; }

    /// <summary>Whether it has operations of a schedule; a lane of transfers has none.</summary>
    public bool HasOperations => Spans.Any(s => s.Operation is not null);
}
