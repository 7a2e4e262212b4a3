namespace Hadal.Parallel.Timelines;

/// <summary>When the ranks of a pipeline did what in one step: simulated, or recorded.</summary>
public sealed class Timeline
{
    /// <summary>A timeline.</summary>
    /// <param name="title">What it is of, such as <c>DualPipe, 8 ranks, 20 micro-batches</c>.</param>
    /// <param name="lanes">One for each rank, and perhaps more.</param>
    public Timeline(string title, IReadOnlyList<TimelineLane> lanes)
    {
        (Title, Lanes) = (title, lanes);
        Duration = lanes.SelectMany(l => l.Spans).Select(s => s.End).DefaultIfEmpty(0).Max();
    }

    /// <summary>What it is of.</summary>
    public string Title { get; }

    /// <summary>One for each rank, and perhaps more.</summary>
    public IReadOnlyList<TimelineLane> Lanes { get; }

    /// <summary>
    /// The operations that the step's length hangs on, first to last: each could not begin before the one before it had ended, and the last ends the step. Empty for a recorded timeline,
    /// which does not say what waited for what.
    /// </summary>
    public IReadOnlyList<TimelinePlace> CriticalPath { get; init; } = [];

    /// <summary>What else is known of the step, by name: of a recorded one how long rows travelled, and how much of that was hidden under computing.</summary>
    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();

    /// <summary>Seconds from the first start to the last end.</summary>
    public double Duration { get; }

    /// <summary>Share of the ranks' time in which they compute nothing: 1 − Σ busy / (ranks · duration). 0 for an empty timeline.</summary>
    public double BubbleFraction
    {
        get
        {
            var ranks = Lanes.Where(l => l.HasOperations).ToArray();
            return ranks.Length == 0 || Duration <= 0 ? 0 : 1 - ranks.Sum(l => l.Busy) / (ranks.Length * Duration);
        }
    }

    /// <summary>Seconds of the step in which a lane's rank computes nothing.</summary>
    /// <param name="lane">Which lane.</param>
    /// <returns>The duration without what it is busy.</returns>
    public double Bubble(int lane) => Duration - Lanes[lane].Busy;
}
