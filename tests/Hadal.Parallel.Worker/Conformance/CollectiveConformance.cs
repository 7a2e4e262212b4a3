namespace Hadal.Parallel.Worker.Conformance;

/// <summary>What every engine behind <see cref="Communication.ICollective"/> has to do, whatever carries it.</summary>
internal static class CollectiveConformance
{
    /// <summary>Promises whose trial leaves the group as it was: may run one after the other in any group.</summary>
    public static IReadOnlyList<ConformanceCase> Cases { get; } =
    [
        new("a ring of megabytes", MessageCases.Ring),
        new("messages keep their order within a tag, whatever the order of tags", MessageCases.Tags),
        new("a rank sends to itself", MessageCases.ToItself),
        new("all element types arrive as they were sent", MessageCases.AllTypes),
        new("messages of no elements arrive", MessageCases.NoElements),
        new("transfers complete in another order than they began", MessageCases.OutOfOrder),
        new("uneven blocks, some of them empty, reach every rank", GroupCases.UnevenAllToAll),
        new("several exchanges are under way at once", GroupCases.SeveralAllToAll),
        new("gathered parts lie in the order of ranks, also in place", GroupCases.AllGather),
        new("every rank can be the root of a broadcast", GroupCases.Broadcast),
        new("nobody passes a barrier before all have come", GroupCases.Barrier),
        new("groups are ordered by key, and nest", SplitCases.Order),
        new("groups that share ranks do not hear each other", SplitCases.Apart),
        new("sums have the bits of additions in the order of ranks", ReductionCases.Sums),
        new("host values of any size are gathered", ReductionCases.HostValues),
        new("counters say what moved", CounterCases.Bytes),
        new("random schedules", RandomCases.Schedules),
    ];

    /// <summary>Promises about ranks that do not agree: the group is of no use afterwards. Each needs two ranks or more and a job of its own.</summary>
    public static IReadOnlyList<ConformanceCase> EndingCases { get; } =
    [
        new("a message longer than expected is named", MismatchCases.TooLong),
        new("a message shorter than expected is named", MismatchCases.TooShort),
        new("blocks that two ranks count differently are named", MismatchCases.AllToAll),
    ];
}
