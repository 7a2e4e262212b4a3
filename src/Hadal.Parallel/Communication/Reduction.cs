using System.Runtime.InteropServices;
using Hadal.Numerics;

namespace Hadal.Parallel.Communication;

/// <summary>Sums over the ranks of a group, added in the order of ranks: the same bits on every rank, over every engine and in every run.</summary>
public static class Reduction
{
    /// <summary>part = Σ over ranks r, ascending, of the part of r's whole that belongs to this rank.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="backend">What adds.</param>
    /// <param name="whole">F32 [Size·n]; left as it is.</param>
    /// <param name="part">F32 [n].</param>
    /// <param name="staging">F32 [Size·n]: memory for what arrives; not the whole itself.</param>
    public static void ReduceScatter(this ICollective group, IBackend backend, Tensor whole, Tensor part, Tensor staging)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(backend);
        long count = part.Count;
        if (whole.Count != count * group.Size || staging.Count != whole.Count)
            throw new ArgumentException($"{whole} cannot be shared out over {group.Size} ranks into parts like {part} by way of {staging}.");
        Span<int> rows = stackalloc int[group.Size];
        rows.Fill(1);
        group.AllToAll(whole.Reshape(new Shape(group.Size, count)), rows, staging.Reshape(new Shape(group.Size, count)), rows).Wait();
        backend.Copy(staging.ElementRange(0, count), part);
        for (int r = 1; r < group.Size; r++) backend.Add(staging.ElementRange(r * count, count), part);
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
