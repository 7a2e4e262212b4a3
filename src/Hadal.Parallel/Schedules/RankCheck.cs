namespace Hadal.Parallel.Schedules;

/// <summary>Checks that one rank runs every chunk forward and backward once, in order, with its inputs at hand, and passes everything on once.</summary>
internal sealed class RankCheck(Schedule schedule, int rank)
{
    private readonly Queue<ChunkId> _deferred = new();

    // [direction]: how many have been done; each must be the next one of its direction.
    private readonly int[] _forwards = new int[2], _backwards = new int[2], _weights = new int[2];
    private readonly int[] _forwardsReceived = new int[2], _forwardsSent = new int[2], _backwardsReceived = new int[2], _backwardsSent = new int[2];

    public void Run()
    {
        var mine = schedule.Ranks[rank];
        foreach (var step in mine.Steps)
        {
            foreach (var message in step.MessagesBefore) Move(message);
            Compute(step.Operation);
        }

        foreach (var message in mine.MessagesAfter) Move(message);
        for (int d = 0; d < schedule.Layout.Directions; d++)
        {
            var place = new SchedulePlace(rank, d);
            All("forwards", _forwards[d], d, true);
            All("backwards", _backwards[d], d, true);
            All("weight gradients", _weights[d], d, true);
            All("sent outputs", _forwardsSent[d], d, IsElsewhere(schedule.Layout.After(place)));
            All("sent gradients", _backwardsSent[d], d, IsElsewhere(schedule.Layout.Before(place)));
        }
    }

    private bool IsElsewhere(SchedulePlace? place) => place is { } p && p.Rank != rank;

    private void All(string what, int count, int direction, bool expected)
    {
        int right = expected ? schedule.MicroBatchesPerDirection : 0;
        if (count != right) throw new ScheduleException($"Rank {rank} has {count} {what} in direction {direction}; there must be {right}.");
    }

    private void Compute(ScheduleOperation operation)
    {
        if (operation.Forward is { } forward)
        {
            Next(_forwards, forward, operation);
            Need(operation, schedule.Layout.Before(new SchedulePlace(rank, forward.Direction)), forward, _forwardsReceived, _forwards, "input");
        }

        if (operation.Backward is { } backward)
        {
            Next(_backwards, backward, operation);
            if (backward.MicroBatch >= _forwards[backward.Direction] || operation.Forward == backward)
                throw new ScheduleException($"Rank {rank} runs {operation} before the forward of {backward} has ended.");
            Need(operation, schedule.Layout.After(new SchedulePlace(rank, backward.Direction)), backward, _backwardsReceived, _backwards, "gradient");
        }

        if (operation.Kind == OperationKind.BackwardForInputs) _deferred.Enqueue(operation.Chunk);
        if (operation.Kind == OperationKind.WeightGradient)
        {
            string waiting = _deferred.TryPeek(out var oldest) ? $"that of {oldest} waits longest" : "none waits";
            if (!_deferred.TryDequeue(out oldest) || oldest != operation.Chunk)
                throw new ScheduleException($"Rank {rank} runs {operation}, but of the weight gradients {waiting}; they run first in, first out.");
        }

        if (operation.Weights is { } weights) _weights[weights.Direction]++;
    }

    private void Next(int[] counts, ChunkId chunk, ScheduleOperation operation)
    {
        if (chunk.Direction < 0 || chunk.Direction >= schedule.Layout.Directions)
            throw new ScheduleException($"Rank {rank} runs {operation}, but the schedule has {schedule.Layout.Directions} directions.");
        if (counts[chunk.Direction]++ != chunk.MicroBatch)
            throw new ScheduleException($"Rank {rank} runs {operation} where micro-batch {counts[chunk.Direction] - 1} of direction {chunk.Direction} is next.");
    }

    /// <summary>What an operation takes in has been received, or computed on this rank in the other direction.</summary>
    private void Need(ScheduleOperation operation, SchedulePlace? source, ChunkId chunk, int[] received, int[] computed, string what)
    {
        if (source is not { } place) return;
        int ready = place.Rank == rank ? computed[place.Direction] : received[chunk.Direction];
        if (chunk.MicroBatch >= ready) throw new ScheduleException($"Rank {rank} runs {operation} before it has the {what} of {chunk} from rank {place.Rank}.");
    }

    private void Move(ScheduleMessage message)
    {
        var place = new SchedulePlace(rank, message.Chunk.Direction);
        bool towardsAfter = message.Kind is MessageKind.SendForward or MessageKind.ReceiveBackward;
        var peer = towardsAfter ? schedule.Layout.After(place) : schedule.Layout.Before(place);
        if (peer?.Rank != message.Peer) throw new ScheduleException($"Rank {rank} has the message {message}, but that chunk's neighbour is {(peer is { } p ? $"rank {p.Rank}" : "no rank")}.");
        var counts = message.Kind switch
        {
            MessageKind.SendForward => _forwardsSent,
            MessageKind.ReceiveForward => _forwardsReceived,
            MessageKind.SendBackward => _backwardsSent,
            _ => _backwardsReceived,
        };
        if (counts[message.Chunk.Direction]++ != message.Chunk.MicroBatch)
            throw new ScheduleException($"Rank {rank} has the message {message} where micro-batch {counts[message.Chunk.Direction] - 1} of direction {message.Chunk.Direction} is next.");
        var computed = message.IsForward ? _forwards : _backwards;
        if (message.IsSend && message.Chunk.MicroBatch >= computed[message.Chunk.Direction])
            throw new ScheduleException($"Rank {rank} has the message {message} before that chunk is computed.");
    }
}
