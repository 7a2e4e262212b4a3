using Hadal.Training.Metrics;

namespace Hadal.Cli.Drawing;

/// <summary>How a run ended, or that it has not.</summary>
internal enum TrainingOutcome
{
    /// <summary>Still training.</summary>
    Running,

    /// <summary>All that was asked for is done.</summary>
    Complete,

    /// <summary>Left before the end: an error or a cancellation.</summary>
    Stopped,
}

/// <summary>What the live view knows of a run.</summary>
/// <param name="title">What is being trained.</param>
/// <param name="steps">Steps of the run; 0 where only time limits it.</param>
/// <param name="limit">Time after which the run stops, from the start of the view; null for none.</param>
/// <param name="clock">Source of time.</param>
/// <param name="tokens">Tokens of the run, whose steps may grow; 0 where all steps are alike.</param>
internal sealed class TrainingProgress(string title, int steps, TimeSpan? limit, TimeProvider clock, long tokens = 0)
{
    private readonly long _start = clock.GetTimestamp();
    private TimeSpan _firstAt;
    private TimeSpan _lastAt;
    private TimeSpan? _end;

    public string Title { get; } = title;

    public int Steps { get; } = steps;

    public TrainingOutcome Outcome { get; private set; }

    public StepMetrics? First { get; private set; }

    public StepMetrics? Last { get; private set; }

    public double? ValidationLoss { get; private set; }

    /// <summary>Share of the first MTP module's drafts that the last validation would have accepted; null before one.</summary>
    public double? Acceptance { get; private set; }

    public double? BigramLoss { get; set; }

    public string? Remark { get; set; }

    /// <summary>Time that the run took before the view began.</summary>
    public TimeSpan Before { get; set; }

    /// <summary>Seconds of a token where the run tells them itself; null to measure the speed by the clock.</summary>
    public double? SecondsPerToken { get; set; }

    public LossHistory Losses { get; } = new();

    public TimeSpan Elapsed => _end ?? Before + clock.GetElapsedTime(_start);

    /// <summary>Share of the run that is done, by steps (or tokens) or by time, whichever is nearer to its end; null where nothing limits it.</summary>
    public double? Share
    {
        get
        {
            if (Outcome == TrainingOutcome.Complete) return 1;
            double? bySteps = Steps > 0 ? Done(Last) / Whole : null;
            double? byTime = limit is { Ticks: > 0 } l ? Elapsed / l : null;
            if (bySteps is null && byTime is null) return null;
            return Math.Clamp(Math.Max(bySteps ?? 0, byTime ?? 0), 0, 1);
        }
    }

    /// <summary>Time that is left, by the speed so far or by the limit, whichever comes first; null where it is not known yet.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (Outcome != TrainingOutcome.Running) return null;
            TimeSpan? left = limit is { } l ? l - Elapsed : null;
            if (tokens > 0 && Last is not null && SecondsPerToken is { } told)
            {
                double rest = Math.Max(0, told * Math.Max(0, tokens - Last.Tokens) - (Elapsed - _lastAt).TotalSeconds);
                return rest < 1e9 ? TimeSpan.FromSeconds(rest) : null;
            }

            // The first step pays for warming up, so the speed is that of the steps after it.
            if (Steps > 0 && First is not null && Last is not null && Last.Step > First.Step)
            {
                double seconds = (_lastAt - _firstAt).TotalSeconds / (Done(Last) - Done(First)) * Math.Max(0, Whole - Done(Last));
                seconds -= (Elapsed - _lastAt).TotalSeconds;
                if (double.IsFinite(seconds) && seconds < 1e9 && (left is null || seconds < left.Value.TotalSeconds)) left = TimeSpan.FromSeconds(seconds);
            }

            return left < TimeSpan.Zero ? TimeSpan.Zero : left;
        }
    }

    private double Whole => tokens > 0 ? tokens : Steps;

    private double Done(StepMetrics? metrics) => metrics is null ? 0 : tokens > 0 ? metrics.Tokens : metrics.Step;

    public void Add(StepMetrics metrics)
    {
        _lastAt = Elapsed;
        if (First is null)
        {
            First = metrics;
            _firstAt = _lastAt;
        }

        Last = metrics;
        if (metrics.ValidationLoss is { } loss) ValidationLoss = loss;
        if (metrics.ValidationAcceptance is { Length: > 0 } acceptance) Acceptance = acceptance[0];
        Losses.Add(metrics.MainLoss);
    }

    public void End(TrainingOutcome outcome)
    {
        if (Outcome != TrainingOutcome.Running) return;
        _end = Elapsed;
        Outcome = outcome;
    }
}
