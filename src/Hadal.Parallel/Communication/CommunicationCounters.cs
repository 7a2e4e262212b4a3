using System.Diagnostics;

namespace Hadal.Parallel.Communication;

/// <summary>What one rank has moved in one group and how long it has waited there, since the group was made. May be read at any time from any thread.</summary>
public sealed class CommunicationCounters
{
    private long _bytesSent, _bytesReceived, _waited;

    /// <summary>Bytes that this rank has begun to send to other ranks, counted for each of them; what it sends to itself does not count, nor how an engine relays it.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Bytes that this rank has begun to receive from other ranks.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Time that threads of this rank have spent in <see cref="ITransfer.Wait"/> and <see cref="ICollective.Barrier"/>.</summary>
    public TimeSpan TimeWaited => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _waited));

    internal void Add(long bytesSent, long bytesReceived)
    {
        Interlocked.Add(ref _bytesSent, bytesSent);
        Interlocked.Add(ref _bytesReceived, bytesReceived);
    }

    internal void AddWaitSince(long timestamp) => Interlocked.Add(ref _waited, Stopwatch.GetTimestamp() - timestamp);
}
