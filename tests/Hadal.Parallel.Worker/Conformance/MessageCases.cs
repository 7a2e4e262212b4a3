using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Messages between two ranks.</summary>
internal static class MessageCases
{
    public static void Ring(ICollective group, IBackend backend)
    {
        const int Elements = 1 << 18, Rounds = 8;
        using var patterns = new Patterns(backend);
        int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
        Tensor sent = patterns.Make(DType.F32, new Shape(Elements)), received = patterns.Make(DType.F32, new Shape(Elements));
        for (int round = 0; round < Rounds; round++)
        {
            patterns.Fill(sent, group.Rank * Rounds + round);
            var receive = group.Receive(received, previous);
            var send = group.Send(sent, next);
            receive.Wait();
            send.Wait();
            patterns.Check(received, previous * Rounds + round, $"Round {round} from rank {previous}");
        }
    }

    public static void Tags(ICollective group, IBackend backend)
    {
        const int Messages = 3;
        int[] tags = [0, 1, 2, 3, 17, 100, 4095, 32766, 32767];
        using var patterns = new Patterns(backend);
        var transfers = new List<ITransfer>();
        var received = new List<(Tensor Values, int Source, string What)>();
        for (int m = 0; m < Messages; m++)
        {
            foreach (int tag in tags)
            {
                for (int r = 0; r < group.Size; r++) transfers.Add(group.Send(patterns.Make(DType.U8, new Shape(37), Source(group.Rank, r, tag, m)), r, tag));
            }
        }

        foreach (int tag in tags.Reverse())
        {
            for (int r = group.Size - 1; r >= 0; r--)
            {
                for (int m = 0; m < Messages; m++)
                {
                    var values = patterns.Make(DType.U8, new Shape(37));
                    transfers.Add(group.Receive(values, r, tag));
                    received.Add((values, Source(r, group.Rank, tag, m), $"Message {m} with tag {tag} from rank {r}"));
                }
            }
        }

        foreach (var transfer in transfers) transfer.Wait();
        foreach (var (values, source, what) in received) patterns.Check(values, source, what);

        static int Source(int from, int to, int tag, int message) => ((from * 64 + to) * 32768 + tag) * Messages + message;
    }

    public static void ToItself(ICollective group, IBackend backend)
    {
        using var patterns = new Patterns(backend);
        foreach (int length in new[] { 1, 1000, 1 << 20 })
        {
            var received = patterns.Make(DType.I16, new Shape(length));
            var send = group.Send(patterns.Make(DType.I16, new Shape(length), length), group.Rank, 5);
            group.Receive(received, group.Rank, 5).Wait();
            send.Wait();
            send.Wait();
            if (!send.IsComplete) throw new ConformanceException("A transfer that was waited for is not complete.");
            patterns.Check(received, length, $"{length} elements to itself");
        }
    }

    public static void AllTypes(ICollective group, IBackend backend)
    {
        using var patterns = new Patterns(backend);
        int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
        foreach (var type in Enum.GetValues<DType>())
        {
            var received = patterns.Make(type, new Shape(3, 5, 7));
            var receive = group.Receive(received, previous, (int)type);
            group.Send(patterns.Make(type, new Shape(3, 5, 7), group.Rank), next, (int)type).Wait();
            receive.Wait();
            patterns.Check(received, previous, $"{type} from rank {previous}");

            int[] rows = new int[group.Size];
            Array.Fill(rows, 1);
            Tensor send = patterns.Make(type, new Shape(group.Size, 9), group.Rank), exchanged = patterns.Make(type, new Shape(group.Size, 9));
            group.AllToAll(send, rows, exchanged, rows).Wait();
            byte[] all = patterns.Bytes(exchanged);
            int bytes = 9 * type.SizeOf();
            for (int r = 0; r < group.Size; r++)
            {
                byte[] theirs = patterns.Bytes(patterns.Make(type, new Shape(group.Size, 9), r));
                if (!all.AsSpan(r * bytes, bytes).SequenceEqual(theirs.AsSpan(group.Rank * bytes, bytes))) throw new ConformanceException($"{type} exchanged with rank {r} differs.");
            }
        }
    }

    public static void NoElements(ICollective group, IBackend backend)
    {
        using var patterns = new Patterns(backend);
        int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
        Tensor nothing = patterns.Make(DType.F32, new Shape(0, 16)), received = patterns.Make(DType.F32, new Shape(4));

        // Between the same two, with the same tag: nothing, something, nothing.
        ITransfer[] sends = [group.Send(nothing, next), group.Send(patterns.Make(DType.F32, new Shape(4), group.Rank), next), group.Send(nothing, next)];
        group.Receive(nothing, previous).Wait();
        group.Receive(received, previous).Wait();
        group.Receive(nothing, previous).Wait();
        foreach (var send in sends) send.Wait();
        patterns.Check(received, previous, $"Between two messages of nothing from rank {previous}");
        group.AllGather(nothing, patterns.Make(DType.F32, new Shape(0, 16))).Wait();
        group.Broadcast(nothing, group.Size - 1).Wait();
        group.AllToAll(nothing, new int[group.Size], nothing, new int[group.Size]).Wait();
    }

    public static void OutOfOrder(ICollective group, IBackend backend)
    {
        const int Messages = 40;
        using var patterns = new Patterns(backend);
        int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
        var order = new Random(7);
        var sends = new ITransfer[Messages];
        var receives = new ITransfer[Messages];
        var received = new Tensor[Messages];
        int[] lengths = [.. Enumerable.Range(0, Messages).Select(i => 1 + i * i * 97 % 30000)];
        int[] shuffled = [.. Enumerable.Range(0, Messages)];
        order.Shuffle(shuffled);
        foreach (int i in shuffled) receives[i] = group.Receive(received[i] = patterns.Make(DType.BF16, new Shape(lengths[i])), previous, i);
        for (int i = 0; i < Messages; i++) sends[i] = group.Send(patterns.Make(DType.BF16, new Shape(lengths[i]), group.Rank * Messages + i), next, i);
        order.Shuffle(shuffled);
        foreach (int i in shuffled)
        {
            receives[i].Wait();
            patterns.Check(received[i], previous * Messages + i, $"Message {i} from rank {previous}");
        }

        foreach (int i in shuffled) sends[i].Wait();
    }
}
