using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Timelines;

/// <summary>Something that took its time on a rank.</summary>
/// <param name="Name">What it is called: of an operation its text, such as <c>F.0.3</c>.</param>
/// <param name="Operation">The operation of the schedule that it is; null for anything else, such as a transfer that ran beside.</param>
/// <param name="Start">Seconds from the beginning of the step.</param>
/// <param name="End">Seconds from the beginning of the step, not before <paramref name="Start"/>.</param>
public readonly record struct TimelineSpan(string Name, ScheduleOperation? Operation, double Start, double End)
{
    /// <summary>An operation of a schedule.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="start">Seconds.</param>
    /// <param name="end">Seconds.</param>
    public TimelineSpan(ScheduleOperation operation, double start, double end)
        : this(operation.ToString(), operation, start, end)
    {
    }

    /// <summary>Seconds from start to end.</summary>
    public double Duration => End - Start;
}
