using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Tests.Traces;

/// <summary>Ranks with a slow network between them, as far as rows for experts go: every exchange takes some time more.</summary>
/// <param name="inner">What moves the rows.</param>
/// <param name="delay">Time that each exchange takes longer.</param>
internal sealed class SlowedCollective(ICollective inner, TimeSpan delay) : ICollective
{
    public int Rank => inner.Rank;

    public int Size => inner.Size;

    public CommunicationCounters Counters => inner.Counters;

    public ITransfer Send(Tensor values, int destination, int tag = 0) => inner.Send(values, destination, tag);

    public ITransfer Receive(Tensor values, int source, int tag = 0) => inner.Receive(values, source, tag);

    public ITransfer AllToAll(Tensor send, ReadOnlySpan<int> sendRows, Tensor receive, ReadOnlySpan<int> receiveRows) => new Slowed(inner.AllToAll(send, sendRows, receive, receiveRows), delay);

    public ITransfer AllGather(Tensor part, Tensor whole) => inner.AllGather(part, whole);

    public ITransfer Broadcast(Tensor values, int root) => inner.Broadcast(values, root);

    public void Barrier() => inner.Barrier();

    public ICollective Split(int color, int key) => new SlowedCollective(inner.Split(color, key), delay);

    public void Abort(string reason) => inner.Abort(reason);

    public void Dispose() => inner.Dispose();

    private sealed class Slowed(ITransfer inner, TimeSpan delay) : ITransfer
    {
        public bool IsComplete => false;

        public void Wait()
        {
            Thread.Sleep(delay);
            inner.Wait();
        }
    }
}
