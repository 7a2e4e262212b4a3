namespace Hadal.Parallel.Schedules;

/// <summary>Writes down what one rank does: counts chunks of each direction, gathers messages, and sets them before the next operation.</summary>
/// <remarks>A message to or from a place that does not exist, or is on the same rank, is not written. Messages wait in one queue, sends and receives in the order of the calls.</remarks>
internal sealed class RankWriter(StageLayout layout, int rank, int microBatches)
{
    private readonly int _chunks = microBatches / layout.Copies;
    private readonly List<ScheduleStep> _steps = [];
    private readonly Queue<ChunkId> _deferred = new();
    private readonly int[] _forwards = new int[2], _backwards = new int[2];
    private readonly int[] _forwardsReceived = new int[2], _forwardsSent = new int[2], _backwardsReceived = new int[2], _backwardsSent = new int[2];
    private List<ScheduleMessage> _messages = [];

    /// <summary>Weight gradients that wait.</summary>
    public int Deferred => _deferred.Count;

    /// <summary>Asks for the input of the next forward that has not been asked for; nothing when all have been.</summary>
    public void ReceiveForward(int direction) => Add(MessageKind.ReceiveForward, direction, _forwardsReceived, layout.Before(new SchedulePlace(rank, direction)));

    /// <summary>Sends the output of the next forward that has not been sent.</summary>
    public void SendForward(int direction) => Add(MessageKind.SendForward, direction, _forwardsSent, layout.After(new SchedulePlace(rank, direction)));

    /// <summary>Asks for the output gradient of the next backward that has not been asked for.</summary>
    public void ReceiveBackward(int direction) => Add(MessageKind.ReceiveBackward, direction, _backwardsReceived, layout.After(new SchedulePlace(rank, direction)));

    /// <summary>Sends the input gradient of the next backward that has not been sent.</summary>
    public void SendBackward(int direction) => Add(MessageKind.SendBackward, direction, _backwardsSent, layout.Before(new SchedulePlace(rank, direction)));

    /// <summary>Forward of a direction's next chunk.</summary>
    /// <param name="direction">0 or 1.</param>
    /// <param name="receive">Whether its input is asked for here; otherwise it has been.</param>
    /// <param name="send">Whether its output is sent with the next messages; otherwise the caller sends it later.</param>
    public void Forward(int direction, bool receive = true, bool send = true)
    {
        if (receive) ReceiveForward(direction);
        Compute(new ScheduleOperation(OperationKind.Forward, Next(_forwards, direction)));
        if (send) SendForward(direction);
    }

    /// <summary>Backward of a direction's next chunk.</summary>
    /// <param name="direction">0 or 1.</param>
    /// <param name="defer">For the inputs alone; its weight gradient joins the queue.</param>
    /// <param name="send">Whether the gradient is sent with the next messages; otherwise the caller sends it later.</param>
    public void Backward(int direction, bool defer = false, bool send = true)
    {
        ReceiveBackward(direction);
        var chunk = Next(_backwards, direction);
        Compute(new ScheduleOperation(defer ? OperationKind.BackwardForInputs : OperationKind.Backward, chunk));
        if (defer) _deferred.Enqueue(chunk);
        if (send) SendBackward(direction);
    }

    /// <summary>Forward of a chunk of one direction, overlapped with the backward of a chunk of the other.</summary>
    public void ForwardAndBackward(int forward, int backward, bool receive = true)
    {
        if (receive) ReceiveForward(forward);
        ReceiveBackward(backward);
        Compute(new ScheduleOperation(OperationKind.ForwardAndBackward, Next(_forwards, forward), Next(_backwards, backward)));
        SendForward(forward);
        SendBackward(backward);
    }

    /// <summary>The weight gradient that waits longest.</summary>
    /// <param name="messagesFirst">Whether the messages gathered so far move before it; otherwise they stay for the operation after it.</param>
    public void WeightGradient(bool messagesFirst = true)
    {
        var operation = new ScheduleOperation(OperationKind.WeightGradient, _deferred.Dequeue());
        if (messagesFirst) Compute(operation);
        else _steps.Add(new ScheduleStep([], operation));
    }

    /// <summary>What has been written.</summary>
    public RankSchedule End() => new(_steps, _messages);

    private static ChunkId Next(int[] counts, int direction) => new(direction, counts[direction]++);

    private void Compute(ScheduleOperation operation)
    {
        _steps.Add(new ScheduleStep(_messages, operation));
        _messages = [];
    }

    private void Add(MessageKind kind, int direction, int[] counts, SchedulePlace? peer)
    {
        if (peer is not { } other || other.Rank == rank || counts[direction] == _chunks) return;
        _messages.Add(new ScheduleMessage(kind, Next(counts, direction), other.Rank));
    }
}
