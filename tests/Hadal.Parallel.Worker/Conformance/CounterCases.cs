using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>What a group says it has moved.</summary>
internal static class CounterCases
{
    public static void Bytes(ICollective group, IBackend backend)
    {
        using var own = group.Split(0, 0);
        using var patterns = new Patterns(backend);
        int others = group.Size - 1, next = (group.Rank + 1) % group.Size, previous = (group.Rank + others) % group.Size;
        Expect(0, 0, "at first");

        Tensor sent = patterns.Make(DType.F32, new Shape(10)), received = patterns.Make(DType.F32, new Shape(10));
        var send = own.Send(sent, next);
        own.Receive(received, previous).Wait();
        send.Wait();
        int message = others > 0 ? 40 : 0;
        Expect(message, message, "after a message");

        own.AllGather(sent, patterns.Make(DType.F32, new Shape(10 * group.Size))).Wait();
        Expect(message + 40 * others, message + 40 * others, "after parts were gathered");

        own.Broadcast(received, 0).Wait();
        int broadcastSent = group.Rank == 0 ? 40 * others : 0, broadcastReceived = group.Rank == 0 ? 0 : 40;
        Expect(message + 40 * others + broadcastSent, message + 40 * others + broadcastReceived, "after a broadcast");

        int[] rows = [.. Enumerable.Repeat(2, group.Size)];
        Tensor blocks = patterns.Make(DType.BF16, new Shape(2 * group.Size, 3)), exchanged = patterns.Make(DType.BF16, new Shape(2 * group.Size, 3));
        own.AllToAll(blocks, rows, exchanged, rows).Wait();
        own.Barrier();
        Expect(message + 52 * others + broadcastSent, message + 52 * others + broadcastReceived, "after an exchange");

        // Waiting for a rank that comes late is counted, on all others.
        var before = own.Counters.TimeWaited;
        if (group.Rank == 0) Thread.Sleep(50);
        own.Barrier();
        if (group.Rank > 0 && own.Counters.TimeWaited <= before) throw new ConformanceException("A rank waited and no time was counted.");

        void Expect(long bytesSent, long bytesReceived, string when)
        {
            if (own.Counters.BytesSent != bytesSent || own.Counters.BytesReceived != bytesReceived)
                throw new ConformanceException($"{own.Counters.BytesSent} bytes sent and {own.Counters.BytesReceived} received {when}, not {bytesSent} and {bytesReceived}.");
        }
    }
}
