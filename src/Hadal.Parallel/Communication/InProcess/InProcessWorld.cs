namespace Hadal.Parallel.Communication.InProcess;

/// <summary>Ranks that are threads of one process. Tensors are copied straight from one to the other; who waits sleeps.</summary>
/// <remarks>See <see cref="InProcessRanks"/> for threads that go with it.</remarks>
public sealed class InProcessWorld
{
    private readonly Exchange _exchange;
    private readonly Lock _gate = new();
    private readonly Dictionary<(int Group, int Operation), InProcessSplit> _splits = [];
    private readonly InProcessCollective[] _ranks;
    private int _groups = 1;

    /// <summary>A world whose ranks have not begun.</summary>
    /// <param name="size">Ranks, at least 1.</param>
    public InProcessWorld(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _exchange = new Exchange(size);
        var group = new InProcessGroup(0, [.. Enumerable.Range(0, size)]);
        _ranks = [.. Enumerable.Range(0, size).Select(rank => new InProcessCollective(this, _exchange, group, rank))];
    }

    /// <summary>Ranks in the world.</summary>
    public int Size => _ranks.Length;

    /// <summary>The group of all ranks as one of them sees it.</summary>
    /// <param name="rank">Which.</param>
    /// <returns>For the one thread that is this rank; to be disposed when it ends.</returns>
    public ICollective this[int rank]
    {
        get
        {
            CollectiveArguments.CheckRank(rank, Size);
            return _ranks[rank];
        }
    }

    /// <summary>Ends the waits of all ranks, from outside of them.</summary>
    /// <param name="reason">The sentence that they hear.</param>
    public void Abort(string reason) => _exchange.Fail(new TransferFailure(reason, null));

    /// <summary>Ends the waits of all ranks because one threw. Returns when no copy touches that rank's memory.</summary>
    internal void Abort(int rank, Exception cause) => _exchange.Fail(new TransferFailure($"Rank {rank} gave up: {cause.Message}", cause), rank);

    /// <summary>The division that the ranks of a group make by one operation, whoever comes first.</summary>
    internal InProcessSplit SplitOf(InProcessGroup group, int operation)
    {
        lock (_gate)
        {
            if (!_splits.TryGetValue((group.Number, operation), out var split)) _splits.Add((group.Number, operation), split = new InProcessSplit(group));
            return split;
        }
    }

    /// <summary>The group of one color; the division is forgotten when every rank has asked.</summary>
    internal InProcessGroup GroupOf(InProcessSplit split, int color, int operation)
    {
        lock (_gate)
        {
            var group = split.Take(color, ref _groups, out bool isLast);
            if (isLast) _splits.Remove((split.Parent.Number, operation));
            return group;
        }
    }
}
