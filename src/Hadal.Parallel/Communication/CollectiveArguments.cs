using Hadal.Numerics;

namespace Hadal.Parallel.Communication;

/// <summary>What every engine asks of the arguments of <see cref="ICollective"/>.</summary>
internal static class CollectiveArguments
{
    /// <summary>The largest tag, which every MPI has.</summary>
    public const int LargestTag = 32767;

    public static void CheckMessage(Tensor values, int peer, int tag, int size)
    {
        CheckTensor(values);
        CheckRank(peer, size);
        if (tag is < 0 or > LargestTag) throw new ArgumentOutOfRangeException(nameof(tag), $"A tag is 0 to {LargestTag}, not {tag}.");
    }

    public static void CheckTensor(Tensor values)
    {
        if (values.IsEmpty) throw new ArgumentException("There is no tensor to move; one of no elements would do.");
        if (!values.IsContiguous) throw new ArgumentException($"{values} has gaps between its rows; only contiguous tensors move between ranks.");
    }

    public static void CheckDestination(Tensor values)
    {
        CheckTensor(values);
        if (values.Storage.IsReadOnly) throw new ArgumentException($"{values} lies in memory that must not be written and cannot take what another rank sends.");
    }

    public static void CheckRank(int rank, int size)
    {
        if ((uint)rank >= (uint)size) throw new ArgumentOutOfRangeException(nameof(rank), $"The group has ranks 0 to {size - 1}, not {rank}.");
    }

    public static void CheckAllToAll(Tensor send, ReadOnlySpan<int> sendRows, Tensor receive, ReadOnlySpan<int> receiveRows, int rank, int size)
    {
        CheckTensor(send);
        CheckDestination(receive);
        CheckRows(send, sendRows, size);
        CheckRows(receive, receiveRows, size);
        if (send.Type != receive.Type || send.Columns != receive.Columns)
            throw new ArgumentException($"{send} and {receive} have to have rows of one length and type to be exchanged.");
        if (sendRows[rank] != receiveRows[rank])
            throw new ArgumentException($"Rank {rank} sends {sendRows[rank]} rows to itself and expects {receiveRows[rank]}.");
    }

    public static void CheckAllGather(Tensor part, Tensor whole, int size)
    {
        CheckTensor(part);
        CheckDestination(whole);
        if (part.Type != whole.Type || whole.Count != part.Count * size)
            throw new ArgumentException($"The parts of {size} ranks, each like {part}, do not make {whole}.");
    }

    private static void CheckRows(Tensor values, ReadOnlySpan<int> rows, int size)
    {
        if (rows.Length != size) throw new ArgumentException($"Rows are counted for {rows.Length} ranks of a group of {size}.");
        long sum = 0;
        foreach (int n in rows)
        {
            if (n < 0) throw new ArgumentException($"A number of rows cannot be negative ({n}).");
            sum += n;
        }

        if (sum != values.Rows) throw new ArgumentException($"The blocks have {sum} rows together, {values} has {values.Rows}.");
    }
}
