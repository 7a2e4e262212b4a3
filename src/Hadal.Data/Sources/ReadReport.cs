namespace Hadal.Data.Sources;

/// <summary>Counts problems by what was done about them and keeps the first of each kind. Safe to use from several threads, though then the first are not always the same.</summary>
/// <param name="examplesPerKind">So many are kept of each kind.</param>
public sealed class ReadReport(int examplesPerKind = 20) : IReadReport
{
    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[Enum.GetValues<ReadProblemKind>().Length];
    private readonly List<ReadProblem> _examples = [];

    /// <summary>All problems so far.</summary>
    public long Total
    {
        get
        {
            lock (_lock) return _counts.Sum();
        }
    }

    /// <summary>The examples that were kept, in the order in which they came.</summary>
    public IReadOnlyList<ReadProblem> Examples
    {
        get
        {
            lock (_lock) return [.. _examples];
        }
    }

    /// <summary>How many problems were of this kind.</summary>
    /// <param name="kind">What was done about them.</param>
    public long Count(ReadProblemKind kind)
    {
        lock (_lock) return _counts[(int)kind];
    }

    /// <inheritdoc/>
    public void Add(ReadProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        lock (_lock)
        {
            if (_counts[(int)problem.Kind]++ < examplesPerKind) _examples.Add(problem);
        }
    }
}
