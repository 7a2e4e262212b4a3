using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Simulation;

/// <summary>Times a schedule: when each rank would run each operation if operations and messages took what is said.</summary>
public sealed class ScheduleSimulator
{
    private readonly Schedule _schedule;
    private readonly ScheduleCosts _costs;
    private readonly RankState[] _ranks;

    // Messages that one side has begun, as the receiver names them, by receiver: when they arrive, and after what, if they are on their way already.
    private readonly Dictionary<ScheduleMessage, (double Time, TimelinePlace? Cause)?>[] _begun;
    private readonly PriorityQueue<int, (double Time, int Rank)> _ends = new();

    private ScheduleSimulator(Schedule schedule, ScheduleCosts costs)
    {
        (_schedule, _costs) = (schedule, costs);
        _ranks = [.. schedule.Ranks.Select(_ => new RankState())];
        _begun = [.. schedule.Ranks.Select(_ => new Dictionary<ScheduleMessage, (double Time, TimelinePlace? Cause)?>())];
    }

    /// <summary>Runs a schedule in thought.</summary>
    /// <param name="schedule">A valid schedule.</param>
    /// <param name="costs">For as many stages as the schedule has.</param>
    /// <returns>One lane for each rank.</returns>
    /// <exception cref="ScheduleException">The schedule comes to no end.</exception>
    /// <exception cref="ArgumentException">The costs are of another number of stages.</exception>
    public static Timeline Simulate(Schedule schedule, ScheduleCosts costs)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(costs);
        if (costs.Stages.Count != schedule.Layout.Stages) throw new ArgumentException($"There are costs of {costs.Stages.Count} stages; the schedule has {schedule.Layout.Stages}.", nameof(costs));
        return new ScheduleSimulator(schedule, costs).Run();
    }

    private Timeline Run()
    {
        for (int r = 0; r < _ranks.Length; r++) _ends.Enqueue(r, (0, r));
        while (_ends.TryDequeue(out int rank, out var at)) BeginMessages(rank, at.Time);
        for (int r = 0; r < _ranks.Length; r++)
        {
            if (_ranks[r].Position <= _schedule.Ranks[r].Steps.Count) throw new ScheduleException($"The schedule stops for ever: rank {r} never comes to its operation {_ranks[r].Position}.");
        }

        string title = $"{_schedule.Kind.Title()}, {_ranks.Length} ranks, {_schedule.MicroBatches} micro-batches";
        return new Timeline(title, [.. _ranks.Select((state, r) => new TimelineLane($"rank {r}", state.Spans))]) { CriticalPath = CriticalPath() };
    }

    /// <summary>From the operation that ends last back through what each could not begin before.</summary>
    private List<TimelinePlace> CriticalPath()
    {
        var path = new List<TimelinePlace>();
        int last = Enumerable.Range(0, _ranks.Length).MaxBy(r => _ranks[r].Spans[^1].End);
        for (TimelinePlace? place = Last(last); place is { } p; place = _ranks[p.Lane].Causes[p.Span]) path.Add(p);
        path.Reverse();
        return path;
    }

    private TimelinePlace? Last(int rank) => _ranks[rank].Spans.Count > 0 ? new TimelinePlace(rank, _ranks[rank].Spans.Count - 1) : null;

    /// <summary>A rank has ended an operation: it begins the messages before its next one, and that one if none is to be awaited.</summary>
    private void BeginMessages(int rank, double time)
    {
        var state = _ranks[rank];
        (state.Ready, state.Open, state.Cause) = (time, 1, Last(rank));
        foreach (var message in Batch(rank))
        {
            state.Open++;
            if (_costs.Message.End == MessageEnd.Buffered && message.IsSend) Send(rank, message, time);
            else if (_costs.Message.End == MessageEnd.Buffered) Await(rank, message);
            else Meet(rank, message, time);
        }

        Arrive(rank, time, Last(rank));
    }

    private void Send(int rank, ScheduleMessage message, double time)
    {
        double arrival = Transfer(rank, message.Peer, time);
        Arrive(rank, time, Last(rank));
        if (!_begun[message.Peer].Remove(message.SeenBy(rank))) _begun[message.Peer].Add(message.SeenBy(rank), (arrival, Last(rank)));
        else Arrive(message.Peer, arrival, Last(rank));
    }

    private void Await(int rank, ScheduleMessage message)
    {
        if (_begun[rank].Remove(message, out var arrival)) Arrive(rank, arrival!.Value.Time, arrival.Value.Cause);
        else _begun[rank].Add(message, null);
    }

    private void Meet(int rank, ScheduleMessage message, double time)
    {
        var (from, to) = message.IsSend ? (rank, message.Peer) : (message.Peer, rank);
        var named = message.IsSend ? message.SeenBy(rank) : message;
        if (!_begun[to].Remove(named))
        {
            _begun[to].Add(named, null);
            return;
        }

        // The rank that comes later is what both have waited for.
        double arrival = Transfer(from, to, time);
        var cause = Last(rank);
        Arrive(from, arrival, cause);
        Arrive(to, arrival, cause);
    }

    private double Transfer(int from, int to, double time)
    {
        double start = Math.Max(time, Math.Max(_ranks[from].PortOutFree, _ranks[to].PortInFree)), end = start + _costs.Message.TransferSeconds;
        _ranks[from].PortOutFree = end;
        _ranks[to].PortInFree = end;
        return end + _costs.Message.Latency;
    }

    /// <summary>One thing that a rank waits for has come; after the last it computes.</summary>
    private void Arrive(int rank, double time, TimelinePlace? cause)
    {
        var state = _ranks[rank];
        if (time > state.Ready) (state.Ready, state.Cause) = (time, cause);
        if (--state.Open > 0) return;
        var steps = _schedule.Ranks[rank].Steps;
        if (state.Position < steps.Count)
        {
            var operation = steps[state.Position].Operation;
            double end = state.Ready + Seconds(rank, operation);
            state.Spans.Add(new TimelineSpan(operation, state.Ready, end));
            state.Causes.Add(state.Cause);
            _ends.Enqueue(rank, (end, rank));
        }

        state.Position++;
    }

    private double Seconds(int rank, ScheduleOperation operation)
    {
        int stage = _schedule.Layout.Stage(rank, operation.Chunk.Direction);
        var costs = _costs.Stages[stage];
        return operation.Kind switch
        {
            OperationKind.Forward => costs.Forward,
            OperationKind.Backward => costs.Backward,
            OperationKind.BackwardForInputs => costs.BackwardForInputs,
            OperationKind.WeightGradient => costs.WeightGradient,
            _ => _costs.Pair(stage, _schedule.Layout.Stage(rank, operation.Other.Direction)),
        };
    }

    private IReadOnlyList<ScheduleMessage> Batch(int rank)
    {
        var (mine, position) = (_schedule.Ranks[rank], _ranks[rank].Position);
        return position < mine.Steps.Count ? mine.Steps[position].MessagesBefore : mine.MessagesAfter;
    }

    private sealed class RankState
    {
        /// <summary>The step whose messages are awaited or which is computed.</summary>
        public int Position;

        /// <summary>Messages that are awaited, and 1 while they are being begun.</summary>
        public int Open;

        /// <summary>When the last of what is awaited has come so far.</summary>
        public double Ready;

        /// <summary>The operation after which that came.</summary>
        public TimelinePlace? Cause;

        public double PortOutFree, PortInFree;

        /// <summary>For each span, the operation before whose end it could not begin.</summary>
        public List<TimelinePlace?> Causes { get; } = [];

        public List<TimelineSpan> Spans { get; } = [];
    }
}
