using System.Runtime.InteropServices;
using Hadal.Numerics;

namespace Hadal.Parallel.Communication;

/// <summary>Sums over the ranks of a group, added in the order of ranks: the same bits on every rank, over every engine and in every run.</summary>
public static class Reduction
{
    /// <summary>The part of this rank in its whole becomes Σ over ranks, ascending, of what they have in the same place.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">What adds.</param>
    /// <param name="whole">F32 [Size·n]: the parts of all ranks, in their order. Other ranks' parts are left as they are.</param>
    /// <param name="staging">F32, at least Size elements: memory for what arrives. The whole is taken in as many pieces as that needs.</param>
    public static void ReduceScatter(this ICollective group, IBackend backend, Tensor whole, Tensor staging)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(backend);
        long part = whole.Count / group.Size, piece = staging.Count / group.Size;
        if (part * group.Size != whole.Count || piece < 1) throw new ArgumentException($"{whole} cannot be shared out over {group.Size} ranks by way of {staging}.");
        if (group.Size == 1) return;
        var transfers = new List<ITransfer>(2 * group.Size);
        for (long first = 0; first < part; first += piece)
        {
            long count = Math.Min(piece, part - first);
            var own = whole.ElementRange(group.Rank * part + first, count);
            for (int r = 0; r < group.Size; r++)
            {
                if (r == group.Rank) continue;
                transfers.Add(group.Receive(staging.ElementRange(r * piece, count), r));
                transfers.Add(group.Send(whole.ElementRange(r * part + first, count), r));
            }

            foreach (var transfer in transfers) transfer.Wait();
            transfers.Clear();
            backend.Copy(own, staging.ElementRange(group.Rank * piece, count));
            backend.Copy(staging.ElementRange(0, count), own);
            for (int r = 1; r < group.Size; r++) backend.Add(staging.ElementRange(r * piece, count), own);
        }
    }

    /// <summary>values = Σ over ranks, ascending, of their values.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">What adds.</param>
    /// <param name="values">F32, of the same size on every rank.</param>
    /// <param name="staging">F32, Size times as many elements.</param>
    public static void AllReduce(this ICollective group, IBackend backend, Tensor values, Tensor staging)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(backend);
        if (group.Size == 1) return;
        group.AllGather(values, staging).Wait();
        backend.Copy(staging.ElementRange(0, values.Count), values.Reshape(new Shape(values.Count)));
        for (int r = 1; r < group.Size; r++) backend.Add(staging.ElementRange(r * values.Count, values.Count), values.Reshape(new Shape(values.Count)));
    }

    /// <summary>values = Σ over ranks, ascending, of their values, in FP64.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">Where the numbers travel.</param>
    /// <param name="values">As many on every rank.</param>
    public static void AllReduce(this ICollective group, IBackend backend, Span<double> values) => Sum(group, backend, values);

    /// <summary>values = Σ over ranks of their values.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">Where the numbers travel.</param>
    /// <param name="values">As many on every rank.</param>
    public static void AllReduce(this ICollective group, IBackend backend, Span<long> values) => Sum(group, backend, values);

    /// <summary>The host values of every rank, in the order of ranks.</summary>
    /// <typeparam name="T">Plain numbers.</typeparam>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">Where the numbers travel.</param>
    /// <param name="values">As many on every rank.</param>
    /// <returns>Size times as many.</returns>
    public static T[] AllGather<T>(this ICollective group, IBackend backend, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(backend);
        var all = new T[group.Size * values.Length];
        if (values.Length == 0) return all;
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);

        // Whole integers, the smallest thing that a backend takes from the host.
        int words = (bytes.Length + sizeof(int) - 1) / sizeof(int);
        var padded = new int[words];
        bytes.CopyTo(MemoryMarshal.AsBytes(padded.AsSpan()));
        using var storage = backend.CreateStorage((long)(group.Size + 1) * words * sizeof(int));
        var part = storage.View(0, DType.I32, new Shape(words));
        var whole = storage.View((long)words * sizeof(int), DType.I32, new Shape((long)group.Size * words));
        backend.Write(padded, part);
        group.AllGather(part, whole).Wait();
        var gathered = new int[group.Size * words];
        backend.Read(whole, gathered);
        for (int r = 0; r < group.Size; r++)
            MemoryMarshal.AsBytes(gathered.AsSpan(r * words, words))[..bytes.Length].CopyTo(MemoryMarshal.AsBytes(all.AsSpan(r * values.Length, values.Length)));
        return all;
    }

    private static void Sum<T>(ICollective group, IBackend backend, Span<T> values)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T[] all = group.AllGather<T>(backend, values);
        values.Clear();
        for (int i = 0; i < all.Length; i++) values[i % values.Length] += all[i];
    }
}
