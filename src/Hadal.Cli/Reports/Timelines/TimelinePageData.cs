using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Cli.Reports.Timelines;

/// <summary>What a page about a timeline shows.</summary>
/// <param name="Timeline">When the ranks did what.</param>
/// <param name="Lead">One or two sentences below the title: where the times come from.</param>
internal sealed record TimelinePageData(Timeline Timeline, string Lead)
{
    /// <summary>The layout of the stages; null for a recorded timeline, whose file does not say it.</summary>
    public StageLayout? Layout { get; init; }

    /// <summary>Times are seconds; otherwise they have no unit.</summary>
    public bool InSeconds { get; init; } = true;

    /// <summary>Bytes that the activations of a chunk take on each rank; 0 if that is not known.</summary>
    public double ChunkBytes { get; init; }

    /// <summary>Bytes that stay of a chunk between its backward for inputs and its weight gradient.</summary>
    public double DeferredBytes { get; init; }

    /// <summary>A time as people read it.</summary>
    public string Time(double seconds) => !InSeconds ? FormattableString.Invariant($"{seconds:0.###}") : seconds switch
    {
        0 => "0 s",
        < 1e-3 => FormattableString.Invariant($"{seconds * 1e6:0.##} µs"),
        < 1 => FormattableString.Invariant($"{seconds * 1e3:0.##} ms"),
        _ => FormattableString.Invariant($"{seconds:0.###} s"),
    };
}
