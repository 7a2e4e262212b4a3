namespace Hadal.Serving.Load;

/// <summary>Percentiles of a time in seconds.</summary>
/// <param name="Count">How many were measured.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="P50">Half are at most this.</param>
/// <param name="P90">Nine of ten are at most this.</param>
/// <param name="P99">Ninety-nine of a hundred are at most this.</param>
/// <param name="Most">The longest.</param>
public sealed record LoadPercentiles(int Count, double Mean, double P50, double P90, double P99, double Most)
{
    /// <summary>The percentiles of a sample: the smallest value that so many are not above (nearest rank).</summary>
    /// <param name="values">The sample.</param>
    /// <returns>The percentiles; null of an empty sample.</returns>
    public static LoadPercentiles? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values];
        if (sorted.Length == 0) return null;
        Array.Sort(sorted);
        return new LoadPercentiles(sorted.Length, sorted.Average(), At(0.5), At(0.9), At(0.99), sorted[^1]);

        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}

/// <summary>What a measurement came to.</summary>
public sealed record LoadReport
{
    /// <summary>Every request.</summary>
    public required IReadOnlyList<LoadMeasurement> Requests { get; init; }

    /// <summary>Seconds from the first request to the last end.</summary>
    public required double Seconds { get; init; }

    /// <summary>How late the generator itself was: seconds that requests were sent, and timers went off, after their time.</summary>
    public required LoadPercentiles? Lag { get; init; }

    /// <summary>Seconds to the first token.</summary>
    public LoadPercentiles? FirstToken => LoadPercentiles.Of(Measured.Where(r => r.FirstToken is not null).Select(r => r.FirstToken!.Value));

    /// <summary>Seconds per token behind the first, one value for each answer.</summary>
    public LoadPercentiles? PerToken => LoadPercentiles.Of(Measured.Where(r => r.PerToken is not null).Select(r => r.PerToken!.Value));

    /// <summary>Seconds between pieces, all of all answers.</summary>
    public LoadPercentiles? BetweenTokens => LoadPercentiles.Of(Measured.SelectMany(r => r.Gaps));

    /// <summary>Seconds to the end of the answer.</summary>
    public LoadPercentiles? Whole => LoadPercentiles.Of(Measured.Where(r => r.Outcome == LoadOutcome.Answered).Select(r => r.End));

    /// <summary>Tokens of answers per second, those of requests given up and of slow readers included.</summary>
    public double TokensPerSecond => Seconds > 0 ? Requests.Sum(r => (long)r.AnswerTokens) / Seconds : 0;

    /// <summary>Answers per second.</summary>
    public double AnswersPerSecond => Seconds > 0 ? Count(LoadOutcome.Answered) / Seconds : 0;

    // Slow readers measure themselves.
    private IEnumerable<LoadMeasurement> Measured => Requests.Where(r => r is { IsSlow: false, Outcome: LoadOutcome.Answered or LoadOutcome.GivenUp });

    /// <summary>Requests that ended so.</summary>
    /// <param name="outcome">How.</param>
    /// <returns>Their number.</returns>
    public int Count(LoadOutcome outcome) => Requests.Count(r => r.Outcome == outcome);

    /// <summary>Answers that kept to both limits, slow readers left out.</summary>
    /// <param name="firstToken">Most seconds to the first token; null for no limit.</param>
    /// <param name="perToken">Most seconds per token behind it; null for no limit.</param>
    /// <returns>Their number.</returns>
    public int Good(double? firstToken, double? perToken) => Requests.Count(r => r is { Outcome: LoadOutcome.Answered, IsSlow: false }
        && (firstToken is null || r.FirstToken <= firstToken) && (perToken is null || r.PerToken is null || r.PerToken <= perToken));
}
