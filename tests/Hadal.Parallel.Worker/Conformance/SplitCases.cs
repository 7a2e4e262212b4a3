using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Groups of groups.</summary>
internal static class SplitCases
{
    public static void Order(ICollective group, IBackend backend)
    {
        // Odd and even ranks, backwards; then pairs of neighbours in those, by equal keys.
        using var parity = group.Split(group.Rank % 2, -group.Rank);
        int expected = (group.Size - 1 - group.Rank) / 2;
        if (parity.Rank != expected || parity.Size != (group.Size + 1 - group.Rank % 2) / 2) throw new ConformanceException($"Rank {group.Rank} of {group.Size} became {parity.Rank} of {parity.Size}.");
        CheckMembers(parity, backend, group.Rank, [.. Enumerable.Range(0, group.Size).Where(r => r % 2 == group.Rank % 2).Reverse()]);

        using var pairs = parity.Split(parity.Rank / 2, 0);
        if (pairs.Rank != parity.Rank % 2) throw new ConformanceException($"Rank {parity.Rank} became {pairs.Rank} though all keys are equal.");
        CheckMembers(pairs, backend, parity.Rank, [.. Enumerable.Range(parity.Rank / 2 * 2, pairs.Size)]);

        using var alone = pairs.Split(group.Rank, 0);
        if (alone.Rank != 0 || alone.Size != 1) throw new ConformanceException($"A rank of its own color became {alone.Rank} of {alone.Size}.");
        alone.Barrier();
        CheckMembers(alone, backend, group.Rank, [group.Rank]);
    }

    public static void Apart(ICollective group, IBackend backend)
    {
        // The same tensors sizes, tags and neighbours in several groups at once; what was begun last is received first.
        using ICollective twin = group.Split(0, group.Rank), backwards = group.Split(0, -group.Rank);
        ICollective[] groups = [group, twin, backwards];
        using var patterns = new Patterns(backend);
        var received = new Tensor[groups.Length];
        var transfers = new List<ITransfer>();
        var gathers = new List<(ITransfer Transfer, Tensor Whole, int Group)>();
        for (int g = 0; g < groups.Length; g++)
        {
            transfers.Add(groups[g].Send(patterns.Make(DType.F32, new Shape(5000), g * 100 + groups[g].Rank), (groups[g].Rank + 1) % group.Size, 9));
            Tensor part = patterns.Make(DType.I32, new Shape(1)), whole = patterns.Make(DType.I32, new Shape(group.Size));
            backend.Write([g * 100 + groups[g].Rank], part);
            gathers.Add((groups[g].AllGather(part, whole), whole, g));
        }

        for (int g = groups.Length - 1; g >= 0; g--) transfers.Add(groups[g].Receive(received[g] = patterns.Make(DType.F32, new Shape(5000)), (groups[g].Rank + group.Size - 1) % group.Size, 9));
        foreach (var transfer in transfers) transfer.Wait();
        for (int g = 0; g < groups.Length; g++) patterns.Check(received[g], g * 100 + (groups[g].Rank + group.Size - 1) % group.Size, $"In group {g}");
        foreach (var (transfer, whole, g) in gathers)
        {
            transfer.Wait();
            var found = new int[group.Size];
            backend.Read(whole, found);
            if (!found.SequenceEqual(Enumerable.Range(g * 100, group.Size))) throw new ConformanceException($"Group {g} gathered {string.Join(", ", found)}.");
        }
    }

    private static void CheckMembers(ICollective group, IBackend backend, int mine, int[] expected)
    {
        int[] members = group.AllGather<int>(backend, [mine]);
        if (!members.SequenceEqual(expected)) throw new ConformanceException($"The group has the ranks {string.Join(", ", members)} and should have {string.Join(", ", expected)}.");
    }
}
