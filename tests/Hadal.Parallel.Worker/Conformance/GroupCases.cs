using System.Diagnostics;
using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Operations of all ranks of a group.</summary>
internal static class GroupCases
{
    public static void UnevenAllToAll(ICollective group, IBackend backend)
    {
        for (int round = 0; round < 6; round++) Exchange(group, backend, round, 24 + round).Finish();
    }

    public static void SeveralAllToAll(ICollective group, IBackend backend)
    {
        List<Exchanged> exchanges = [.. Enumerable.Range(0, 5).Select(round => Exchange(group, backend, round, 1000))];
        exchanges.Reverse();
        foreach (var exchanged in exchanges) exchanged.Finish();
    }

    public static void AllGather(ICollective group, IBackend backend)
    {
        const int Elements = 3001;
        using var patterns = new Patterns(backend);
        int[] mine = [.. Enumerable.Range(0, Elements).Select(i => group.Rank * Elements + i)];
        int[] expected = [.. Enumerable.Range(0, group.Size * Elements)];
        Tensor part = patterns.Make(DType.I32, new Shape(Elements)), apart = patterns.Make(DType.I32, new Shape(group.Size, Elements));
        backend.Write(mine, part);
        group.AllGather(part, apart).Wait();
        Check(apart, "apart");

        var inPlace = patterns.Make(DType.I32, new Shape(group.Size * Elements));
        backend.Write(mine, inPlace.ElementRange(group.Rank * Elements, Elements));
        group.AllGather(inPlace.ElementRange(group.Rank * Elements, Elements), inPlace).Wait();
        Check(inPlace, "in place");

        void Check(Tensor whole, string how)
        {
            var found = new int[expected.Length];
            backend.Read(whole, found);
            if (!found.AsSpan().SequenceEqual(expected)) throw new ConformanceException($"Parts gathered {how} are not those of the ranks in their order.");
            _ = patterns.Bytes(whole);
        }
    }

    public static void Broadcast(ICollective group, IBackend backend)
    {
        using var patterns = new Patterns(backend);
        var values = new Tensor[group.Size];
        var transfers = new ITransfer[group.Size];
        for (int root = 0; root < group.Size; root++)
        {
            values[root] = patterns.Make(DType.F32, new Shape(70_001), root == group.Rank ? root : -1);
            transfers[root] = group.Broadcast(values[root], root);
        }

        for (int root = group.Size - 1; root >= 0; root--)
        {
            transfers[root].Wait();
            patterns.Check(values[root], root, $"Broadcast of rank {root}");
        }
    }

    public static void Barrier(ICollective group, IBackend backend)
    {
        for (int late = 0; late < group.Size; late++)
        {
            if (late == group.Rank) Thread.Sleep(20);
            long came = Stopwatch.GetTimestamp();
            group.Barrier();
            long left = Stopwatch.GetTimestamp();

            // One clock for all processes of a machine; ranks on several machines are compared only where their clocks are one.
            long[] times = group.AllGather<long>(backend, [came, left]);
            long lastCame = Enumerable.Range(0, group.Size).Max(r => times[2 * r]), firstLeft = Enumerable.Range(0, group.Size).Min(r => times[2 * r + 1]);
            if (firstLeft < lastCame) throw new ConformanceException($"A rank left the barrier {Stopwatch.GetElapsedTime(firstLeft, lastCame).TotalMilliseconds} ms before the last came.");
        }
    }

    /// <summary>Begins an exchange in which rank s sends (5 s + 3 r + round) mod 4 times some rows to rank r, so that some blocks are empty.</summary>
    private static Exchanged Exchange(ICollective group, IBackend backend, int round, int columns)
    {
        int[] sendRows = [.. Enumerable.Range(0, group.Size).Select(r => Rows(group.Rank, r))];
        int[] receiveRows = [.. Enumerable.Range(0, group.Size).Select(s => Rows(s, group.Rank))];
        var patterns = new Patterns(backend);
        Tensor send = patterns.Make(DType.I32, new Shape(sendRows.Sum(), columns)), receive = patterns.Make(DType.I32, new Shape(receiveRows.Sum(), columns));
        backend.Write([.. Enumerable.Range(0, group.Size).SelectMany(r => Block(group.Rank, r))], send);
        return new Exchanged(group.AllToAll(send, sendRows, receive, receiveRows), Check);

        int Rows(int from, int to) => (5 * from + 3 * to + round) % 4 * (round + 1);

        IEnumerable<int> Block(int from, int to) => Enumerable.Range(0, Rows(from, to) * columns).Select(i => ((from * 16 + to) << 20) + i + round);

        void Check()
        {
            var found = new int[receive.Count];
            backend.Read(receive, found);
            if (!found.SequenceEqual(Enumerable.Range(0, group.Size).SelectMany(s => Block(s, group.Rank)))) throw new ConformanceException($"Rows exchanged in round {round} are not those that were sent.");
            _ = patterns.Bytes(receive);
            patterns.Dispose();
        }
    }

    private sealed record Exchanged(ITransfer Transfer, Action Check)
    {
        public void Finish()
        {
            Transfer.Wait();
            Check();
        }
    }
}
