using Hadal.Parallel.Experts;
using Hadal.Parallel.Pipeline;
using Hadal.Parallel.Schedules;
using Hadal.Training.Model;

namespace Hadal.Parallel.Traces;

/// <summary>What one rank did in a step, as it was told. Carriages come from the exchange thread, everything else from the computing thread, so that nobody waits for a lock.</summary>
internal sealed class StepEvents : IStepObserver, ICarriageObserver
{
    public List<Event<ScheduleOperation>> Operations { get; } = [];

    public List<Event<(PassPart Part, int Layer)>> Parts { get; } = [];

    /// <summary>Rows under way.</summary>
    public List<Event<Carriage>> Carriages { get; } = [];

    /// <summary>Waits for messages, between operations.</summary>
    public List<Event<IReadOnlyList<ScheduleMessage>>> Messages { get; } = [];

    /// <summary>Waits for rows, inside of operations.</summary>
    public List<Event<Carriage>> Awaited { get; } = [];

    void IStepObserver.Waited(IReadOnlyList<ScheduleMessage> messages, long started, long ended) => Messages.Add(new(messages, started, ended));

    void IStepObserver.Computed(ScheduleOperation operation, long started, long ended) => Operations.Add(new(operation, started, ended));

    void IPassObserver.Computed(PassPart part, int layer, long started, long ended) => Parts.Add(new((part, layer), started, ended));

    void ICarriageObserver.Carried(Carriage carriage, long started, long ended) => Carriages.Add(new(carriage, started, ended));

    void ICarriageObserver.Awaited(Carriage carriage, long started, long ended) => Awaited.Add(new(carriage, started, ended));

    /// <summary>Something that took its time, by <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    internal readonly record struct Event<T>(T What, long Started, long Ended);
}
