using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Schedules drawn from a seed that all ranks share: every rank knows what the others do, and does its own part, with waits at random places.</summary>
internal static class RandomCases
{
    private const int MostElements = 20_000;

    public static void Schedules(ICollective group, IBackend backend)
    {
        using ICollective halves = group.Split(group.Rank * 2 / group.Size, group.Rank), comb = group.Split(group.Rank % 2, group.Rank);
        ICollective[] groups = [group, halves, comb];
        for (int seed = 0; seed < 4; seed++) Run(groups, backend, seed);
    }

    private static void Run(ICollective[] groups, IBackend backend, int seed)
    {
        using var patterns = new Patterns(backend);
        var shared = new Random(seed);
        var own = new Random(seed * 1000 + groups[0].Rank);
        var pending = new List<(ITransfer Transfer, Action Check)>();
        for (int step = 0; step < 120; step++)
        {
            var group = groups[shared.Next(groups.Length)];
            int elements = shared.Next(4) == 0 ? shared.Next(MostElements) : shared.Next(50), kind = shared.Next(10), tag = shared.Next(3);

            // Drawn for the whole group of all ranks; smaller groups take the remainder.
            int a = shared.Next(groups[0].Size) % group.Size, b = shared.Next(groups[0].Size) % group.Size, source = seed * 10_000 + step;
            switch (kind)
            {
                case < 6:
                    Message(group, a, b, elements, tag, source);
                    break;
                case 6:
                    Exchange(group, elements / 16, source);
                    break;
                case 7:
                    Broadcast(group, a, elements, source);
                    break;
                case 8:
                    Gather(group, elements, source);
                    break;
                default:
                    group.Barrier();
                    break;
            }

            // Only what is complete: others may not have begun what this rank would wait for.
            int looked = pending.Count == 0 ? 0 : own.Next(pending.Count);
            if (pending.Count > 0 && pending[looked].Transfer.IsComplete) Finish(looked);
        }

        while (pending.Count > 0) Finish(own.Next(pending.Count));

        void Finish(int index)
        {
            var (transfer, check) = pending[index];
            pending.RemoveAt(index);
            transfer.Wait();
            check();
        }

        void Message(ICollective group, int from, int to, int elements, int tag, int source)
        {
            if (group.Rank == from) pending.Add((group.Send(patterns.Make(DType.I32, new Shape(elements), source + from), to, tag), () => { }));
            if (group.Rank != to) return;
            var received = patterns.Make(DType.I32, new Shape(elements));
            pending.Add((group.Receive(received, from, tag), () => patterns.Check(received, source + from, $"Seed {seed}, message {source} from rank {from}")));
        }

        void Exchange(ICollective group, int columns, int source)
        {
            int[] sendRows = [.. Enumerable.Range(0, group.Size).Select(r => Rows(group.Rank, r))], receiveRows = [.. Enumerable.Range(0, group.Size).Select(s => Rows(s, group.Rank))];
            Tensor send = patterns.Make(DType.I32, new Shape(sendRows.Sum(), columns)), receive = patterns.Make(DType.I32, new Shape(receiveRows.Sum(), columns));
            backend.Write([.. Enumerable.Range(0, group.Size).SelectMany(r => Enumerable.Repeat(source + group.Rank * 64 + r, sendRows[r] * columns))], send);
            pending.Add((group.AllToAll(send, sendRows, receive, receiveRows), Check));

            int Rows(int from, int to) => (from * 31 + to * 17 + source) % 5;

            void Check()
            {
                var found = new int[receive.Count];
                backend.Read(receive, found);
                if (!found.SequenceEqual(Enumerable.Range(0, group.Size).SelectMany(s => Enumerable.Repeat(source + s * 64 + group.Rank, receiveRows[s] * columns))))
                    throw new ConformanceException($"Seed {seed}: exchange {source} brought something else.");
            }
        }

        void Broadcast(ICollective group, int root, int elements, int source)
        {
            var values = patterns.Make(DType.I32, new Shape(elements), root == group.Rank ? source : -1);
            pending.Add((group.Broadcast(values, root), () => patterns.Check(values, source, $"Seed {seed}, broadcast {source}")));
        }

        void Gather(ICollective group, int elements, int source)
        {
            Tensor part = patterns.Make(DType.I32, new Shape(elements)), whole = patterns.Make(DType.I32, new Shape(group.Size * elements));
            backend.Write([.. Enumerable.Repeat(source + group.Rank, elements)], part);
            pending.Add((group.AllGather(part, whole), Check));

            void Check()
            {
                var found = new int[whole.Count];
                backend.Read(whole, found);
                if (!found.SequenceEqual(Enumerable.Range(0, group.Size).SelectMany(r => Enumerable.Repeat(source + r, elements))))
                    throw new ConformanceException($"Seed {seed}: parts gathered by {source} are something else.");
            }
        }
    }
}
