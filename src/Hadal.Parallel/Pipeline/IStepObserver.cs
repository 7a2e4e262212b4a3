using Hadal.Parallel.Schedules;
using Hadal.Training.Model;

namespace Hadal.Parallel.Pipeline;

/// <summary>Told what a rank does while it executes a schedule. Times are those of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
internal interface IStepObserver : IPassObserver
{
    /// <summary>The rank waited for messages.</summary>
    void Waited(IReadOnlyList<ScheduleMessage> messages, long started, long ended);

    /// <summary>The rank computed an operation, the parts of which were told before.</summary>
    void Computed(ScheduleOperation operation, long started, long ended);
}
