using Hadal.Numerics;

namespace Hadal.Parallel.Communication.InProcess;

/// <summary>One rank's sight of a group of threads.</summary>
internal sealed class InProcessCollective : ICollective
{
    private readonly InProcessWorld _world;
    private readonly Exchange _exchange;
    private readonly InProcessGroup _group;
    private int _operations;

    public InProcessCollective(InProcessWorld world, Exchange exchange, InProcessGroup group, int worldRank)
    {
        (_world, _exchange, _group) = (world, exchange, group);
        Rank = Array.IndexOf(group.Members, worldRank);
    }

    public int Rank { get; }

    public int Size => _group.Members.Length;

    public CommunicationCounters Counters { get; } = new();

    private int WorldRank => _group.Members[Rank];

    public ITransfer Send(Tensor values, int destination, int tag)
    {
        CollectiveArguments.CheckMessage(values, destination, tag, Size);
        var transfer = new PendingTransfer(Counters);
        Send(transfer, MovementKind.Message, values, destination, tag);
        transfer.End();
        return transfer;
    }

    public ITransfer Receive(Tensor values, int source, int tag)
    {
        CollectiveArguments.CheckMessage(values, source, tag, Size);
        CollectiveArguments.CheckDestination(values);
        var transfer = new PendingTransfer(Counters);
        Receive(transfer, MovementKind.Message, values, source, tag);
        transfer.End();
        return transfer;
    }

    public ITransfer AllToAll(Tensor send, ReadOnlySpan<int> sendRows, Tensor receive, ReadOnlySpan<int> receiveRows)
    {
        CollectiveArguments.CheckAllToAll(send, sendRows, receive, receiveRows, Rank, Size);
        var transfer = new PendingTransfer(Counters);
        int operation = _operations++;
        long sent = 0, received = 0;
        for (int r = 0; r < Size; r++)
        {
            Tensor to = send.RowRange(sent, sendRows[r]), from = receive.RowRange(received, receiveRows[r]);
            sent += sendRows[r];
            received += receiveRows[r];
            if (r == Rank)
            {
                TensorMemory.Copy(to, from);
                continue;
            }

            Send(transfer, MovementKind.AllToAll, to, r, operation);
            Receive(transfer, MovementKind.AllToAll, from, r, operation);
        }

        transfer.End();
        return transfer;
    }

    public ITransfer AllGather(Tensor part, Tensor whole)
    {
        CollectiveArguments.CheckAllGather(part, whole, Size);
        var transfer = new PendingTransfer(Counters);
        int operation = _operations++;
        TensorMemory.Copy(part, whole.ElementRange(Rank * part.Count, part.Count));
        for (int r = 0; r < Size; r++)
        {
            if (r == Rank) continue;
            Send(transfer, MovementKind.AllGather, part, r, operation);
            Receive(transfer, MovementKind.AllGather, whole.ElementRange(r * part.Count, part.Count), r, operation);
        }

        transfer.End();
        return transfer;
    }

    public ITransfer Broadcast(Tensor values, int root)
    {
        CollectiveArguments.CheckTensor(values);
        CollectiveArguments.CheckRank(root, Size);
        var transfer = new PendingTransfer(Counters);
        int operation = _operations++;
        if (root != Rank)
        {
            CollectiveArguments.CheckDestination(values);
            Receive(transfer, MovementKind.Broadcast, values, root, operation);
        }
        else
        {
            for (int r = 0; r < Size; r++)
            {
                if (r != Rank) Send(transfer, MovementKind.Broadcast, values, r, operation);
            }
        }

        transfer.End();
        return transfer;
    }

    public void Barrier() => Meet(MovementKind.Barrier, _operations++);

    public ICollective Split(int color, int key)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(color);
        int operation = _operations++;
        var split = _world.SplitOf(_group, operation);
        split.Choose(Rank, color, key);
        Meet(MovementKind.Split, operation);
        return new InProcessCollective(_world, _exchange, _world.GroupOf(split, color, operation), WorldRank);
    }

    public void Abort(string reason) => _exchange.Fail(new TransferFailure($"Rank {WorldRank} gave up: {reason}", null), WorldRank);

    public void Dispose() => _exchange.Leave(_group.Number, WorldRank);

    /// <summary>Every rank tells every other that it is there, and hears it.</summary>
    private void Meet(MovementKind kind, int operation)
    {
        var transfer = new PendingTransfer(Counters);
        for (int r = 0; r < Size; r++)
        {
            if (r == Rank) continue;
            Send(transfer, kind, default, r, operation);
            Receive(transfer, kind, default, r, operation);
        }

        transfer.End();
        transfer.Wait();
    }

    private void Send(PendingTransfer transfer, MovementKind kind, Tensor values, int destination, int tag)
    {
        var movement = new Movement(transfer, kind, values, WorldRank, _group.Members[destination], tag, true);
        if (destination != Rank) Counters.Add(movement.ByteLength, 0);
        _exchange.Post(_group.Number, movement);
    }

    private void Receive(PendingTransfer transfer, MovementKind kind, Tensor values, int source, int tag)
    {
        var movement = new Movement(transfer, kind, values, _group.Members[source], WorldRank, tag, false);
        if (source != Rank) Counters.Add(0, movement.ByteLength);
        _exchange.Post(_group.Number, movement);
    }
}
