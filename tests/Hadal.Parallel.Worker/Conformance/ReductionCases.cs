using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Sums above the engine.</summary>
internal static class ReductionCases
{
    public static void Sums(ICollective group, IBackend backend)
    {
        const int Part = 1003;
        int size = Part * group.Size;
        using var patterns = new Patterns(backend);
        float[][] all = [.. Enumerable.Range(0, group.Size).Select(Values)];
        var sums = new float[size];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = all[0][i];
            for (int r = 1; r < group.Size; r++) sums[i] += all[r][i];
        }

        // All at once, and in pieces that do not come out even.
        foreach (int staged in new[] { sums.Length, 100 * group.Size })
        {
            Tensor whole = patterns.Make(DType.F32, new Shape(sums.Length)), staging = patterns.Make(DType.F32, new Shape(staged));
            backend.Write(all[group.Rank], whole);
            group.ReduceScatter(backend, whole, staging);
            float[] shared = [.. all[group.Rank]];
            sums.AsSpan(group.Rank * Part, Part).CopyTo(shared.AsSpan(group.Rank * Part));
            Check(whole, shared, "shared out");
        }

        Tensor values = patterns.Make(DType.F32, new Shape(sums.Length)), room = patterns.Make(DType.F32, new Shape(sums.Length * group.Size));
        backend.Write(all[group.Rank], values);
        group.AllReduce(backend, values, room);
        Check(values, sums, "for all");

        double[] doubles = [.. Enumerable.Range(0, 5).Select(i => (double)all[group.Rank][i])];
        long[] longs = [long.MaxValue / (group.Rank + 3), group.Rank];
        group.AllReduce(backend, doubles.AsSpan());
        group.AllReduce(backend, longs.AsSpan());
        for (int i = 0; i < doubles.Length; i++)
        {
            double sum = 0;
            for (int r = 0; r < group.Size; r++) sum += all[r][i];
            if (doubles[i] != sum) throw new ConformanceException($"FP64 sum {i} is {doubles[i]:R} and has to be {sum:R}.");
        }

        long expected = 0;
        for (int r = 0; r < group.Size; r++) expected += long.MaxValue / (r + 3);
        if (longs[0] != expected || longs[1] != group.Size * (group.Size - 1) / 2) throw new ConformanceException($"Integer sums are {longs[0]} and {longs[1]}.");

        float[] Values(int rank)
        {
            var random = new Random(rank + 1);
            var values = new float[size];
            for (int i = 0; i < values.Length; i++) values[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 6)));
            return values;
        }

        void Check(Tensor tensor, ReadOnlySpan<float> expected, string what)
        {
            var found = new float[tensor.Count];
            backend.Read(tensor, found);
            for (int i = 0; i < found.Length; i++)
            {
                if (BitConverter.SingleToInt32Bits(found[i]) != BitConverter.SingleToInt32Bits(expected[i]))
                    throw new ConformanceException($"Sum {i} {what} is {found[i]:R} and has to be {expected[i]:R}.");
            }
        }
    }

    public static void HostValues(ICollective group, IBackend backend)
    {
        byte[] bytes = group.AllGather<byte>(backend, [(byte)group.Rank, 200, (byte)(group.Rank + 7)]);
        if (!bytes.SequenceEqual(Enumerable.Range(0, group.Size).SelectMany(r => new[] { (byte)r, (byte)200, (byte)(r + 7) }))) throw new ConformanceException("Bytes were gathered wrongly.");
        (long, float)[] pairs = group.AllGather<(long, float)>(backend, [(group.Rank + (1L << 40), group.Rank / 3f)]);
        if (!pairs.SequenceEqual(Enumerable.Range(0, group.Size).Select(r => (r + (1L << 40), r / 3f)))) throw new ConformanceException("Pairs were gathered wrongly.");
        if (group.AllGather<int>(backend, []).Length != 0) throw new ConformanceException("Nothing became something.");
    }
}
