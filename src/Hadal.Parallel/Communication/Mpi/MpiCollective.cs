using Hadal.Numerics;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>One process's sight of a group of processes.</summary>
internal sealed unsafe class MpiCollective(MpiEngine engine, MpiGroup group, bool isWorld) : ICollective
{
    private bool _isDisposed;

    public int Rank => group.Rank;

    public int Size => group.Members.Length;

    public CommunicationCounters Counters { get; } = new();

    public ITransfer Send(Tensor values, int destination, int tag)
    {
        CollectiveArguments.CheckMessage(values, destination, tag, Size);
        long bytes = TensorMemory.ByteLength(values);
        Count(destination, bytes, 0);
        return Post(operation => Send(operation, group.Messages, values, 0, bytes, destination, tag, $"tag {tag}"));
    }

    public ITransfer Receive(Tensor values, int source, int tag)
    {
        CollectiveArguments.CheckMessage(values, source, tag, Size);
        CollectiveArguments.CheckDestination(values);
        long bytes = TensorMemory.ByteLength(values);
        Count(source, 0, bytes);
        return Post(operation => group.MessageInbox.Receive(new MpiReceive(operation, values, 0, bytes, source, group.Members[source], tag, $"tag {tag}")));
    }

    // By messages: MPI_Ialltoallv has 32-bit offsets, accepts fewer rows than expected without a word, and is made of the same messages inside.
    public ITransfer AllToAll(Tensor send, ReadOnlySpan<int> sendRows, Tensor receive, ReadOnlySpan<int> receiveRows)
    {
        CollectiveArguments.CheckAllToAll(send, sendRows, receive, receiveRows, Rank, Size);
        long rowBytes = (long)send.Columns * send.Type.SizeOf();
        var sent = new long[Size + 1];
        var received = new long[Size + 1];
        for (int r = 0; r < Size; r++)
        {
            sent[r + 1] = sent[r] + sendRows[r] * rowBytes;
            received[r + 1] = received[r] + receiveRows[r] * rowBytes;
            Count(r, sent[r + 1] - sent[r], received[r + 1] - received[r]);
        }

        TensorMemory.Copy(send.RowRange(sent[Rank] / Math.Max(rowBytes, 1), sendRows[Rank]), receive.RowRange(received[Rank] / Math.Max(rowBytes, 1), receiveRows[Rank]));
        return Post(operation =>
        {
            // Each rank begins with its neighbour, so that not all send to the same one first.
            for (int distance = 1; distance < Size; distance++)
            {
                int source = (Rank + Size - distance) % Size, destination = (Rank + distance) % Size;
                long bytes = received[source + 1] - received[source];
                group.OperationInbox.Receive(new MpiReceive(operation, receive, received[source], bytes, source, group.Members[source], 0, nameof(AllToAll)));
                Send(operation, group.Operations, send, sent[destination], sent[destination + 1] - sent[destination], destination, 0, nameof(AllToAll));
            }
        });
    }

    public ITransfer AllGather(Tensor part, Tensor whole)
    {
        CollectiveArguments.CheckAllGather(part, whole, Size);
        long bytes = TensorMemory.ByteLength(part);
        Counters.Add(bytes * (Size - 1), bytes * (Size - 1));
        return Post(operation =>
        {
            byte* from = TensorMemory.Address(part), to = TensorMemory.Address(whole);
            using var count = MpiCount.Of(bytes, engine.Library);
            void* source = from == to + Rank * bytes ? (void*)engine.Library.InPlace : from;
            MpiEngine.Check(MpiNative.MPI_Iallgather(source, count.Count, count.Type, to, count.Count, count.Type, group.Operations, engine.Requests.Next()));
            engine.Requests.Add(new MpiMovement(operation, nameof(AllGather)));
        });
    }

    public ITransfer Broadcast(Tensor values, int root)
    {
        CollectiveArguments.CheckTensor(values);
        CollectiveArguments.CheckRank(root, Size);
        if (root != Rank) CollectiveArguments.CheckDestination(values);
        long bytes = TensorMemory.ByteLength(values);
        Counters.Add(root == Rank ? bytes * (Size - 1) : 0, root == Rank ? 0 : bytes);
        return Post(operation =>
        {
            using var count = MpiCount.Of(bytes, engine.Library);
            MpiEngine.Check(MpiNative.MPI_Ibcast(TensorMemory.Address(values), count.Count, count.Type, root, group.Operations, engine.Requests.Next()));
            engine.Requests.Add(new MpiMovement(operation, nameof(Broadcast)));
        });
    }

    public void Barrier() => Post(operation =>
    {
        MpiEngine.Check(MpiNative.MPI_Ibarrier(group.Operations, engine.Requests.Next()));
        engine.Requests.Add(new MpiMovement(operation, nameof(Barrier)));
    }).Wait();

    public ICollective Split(int color, int key)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(color);

        // The call itself blocks the thread that all transfers of this process need, so it is made when every rank is there.
        Barrier();
        MpiGroup? part = null;
        Post(_ => part = group.Divide(engine, color, key)).Wait();
        return new MpiCollective(engine, part!, false);
    }

    public void Abort(string reason) => engine.Abort(reason);

    /// <summary>Frees a group of <see cref="Split"/>. The group of all ranks belongs to its <see cref="MpiWorld"/>.</summary>
    public void Dispose()
    {
        if (isWorld || _isDisposed) return;
        _isDisposed = true;
        Post(_ => group.Free(engine));
    }

    private MpiOperation Post(Action<MpiOperation> start)
    {
        var operation = new MpiOperation(engine, Counters, start);
        engine.Post(operation);
        return operation;
    }

    private void Count(int peer, long bytesSent, long bytesReceived)
    {
        if (peer != Rank) Counters.Add(bytesSent, bytesReceived);
    }

    private void Send(MpiOperation operation, nint comm, Tensor values, long start, long bytes, int destination, int tag, string what)
    {
        using var count = MpiCount.Of(bytes, engine.Library);
        MpiEngine.Check(MpiNative.MPI_Isend(TensorMemory.Address(values) + start, count.Count, count.Type, destination, tag, comm, engine.Requests.Next()));
        engine.Requests.Add(new MpiMovement(operation, what));
    }
}
