namespace Hadal.Parallel.Tests.Experts;

/// <summary>Where tokens go.</summary>
public enum Routing
{
    /// <summary>To any experts.</summary>
    Anywhere,

    /// <summary>Each to experts of one rank.</summary>
    OneRankEach,

    /// <summary>All to experts of the first rank: the others get no rows.</summary>
    FirstRank,
}
