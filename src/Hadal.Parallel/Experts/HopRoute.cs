using Hadal.Numerics;

namespace Hadal.Parallel.Experts;

/// <summary>Which rows of a layer and micro-batch one hop sends to which rank, and how many come back from each.</summary>
internal sealed class HopRoute(IBackend backend, int ranks) : IDisposable
{
    private readonly GrowingTensor _rows = new(backend), _counts = new(backend);
    private int[] _index = [];

    /// <summary>Rows for each rank of the group.</summary>
    public int[] Sent { get; } = new int[ranks];

    /// <summary>Rows from each.</summary>
    public int[] Received { get; } = new int[ranks];

    /// <summary>Rows sent in all.</summary>
    public int SentRows { get; private set; }

    /// <summary>Rows received in all.</summary>
    public int ReceivedRows => Received.Sum();

    /// <summary>I32 [SentRows]: the row of each that is sent, in the order of ranks.</summary>
    public Tensor Rows { get; private set; }

    /// <summary>Memory for the counts on their way: two columns of as many integers as there are ranks.</summary>
    public (Tensor Sent, Tensor Received) Counts()
    {
        var all = _counts.Take(DType.I32, 2L * ranks, 1);
        return (all.RowRange(0, ranks), all.RowRange(ranks, ranks));
    }

    /// <summary>Lists for every rank the rows that go there, ascending.</summary>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="targets">The ranks that a row goes to, as bits; none is allowed.</param>
    public void List(int rows, ReadOnlySpan<ulong> targets)
    {
        if (_index.Length < rows * ranks) _index = new int[rows * ranks];
        int n = 0;
        for (int rank = 0; rank < ranks; rank++)
        {
            int first = n;
            for (int row = 0; row < rows; row++)
            {
                if ((targets[row] >> rank & 1) != 0) _index[n++] = row;
            }

            Sent[rank] = n - first;
        }

        SentRows = n;
        Rows = _rows.Take(DType.I32, n, 1).Reshape(new Shape(n));
        if (n > 0) backend.Write(_index.AsSpan(0, n), Rows);
    }

    public void Dispose()
    {
        _rows.Dispose();
        _counts.Dispose();
    }
}
