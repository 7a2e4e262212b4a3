using System.Text;
using Hadal.Training.Metrics;
using Spectre.Console;

namespace Hadal.Cli.Drawing;

/// <summary>
/// Shows a training run while it runs: on a terminal a picture that is redrawn in place (progress, losses, expert load),
/// elsewhere one line every few seconds.
/// </summary>
/// <remarks>
/// Draws at most five times a second whatever the speed of the steps, and holds a fixed amount of memory whatever their number.
/// What is printed through the same <see cref="IAnsiConsole"/> in the meantime appears above the picture.
/// Disposing without <see cref="Complete"/> marks the run as stopped; the cursor comes back either way.
/// </remarks>
public sealed class LiveTrainingView : IDisposable
{
    private static readonly TimeSpan _frameTime = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _lineTime = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly IAnsiConsole _console;
    private readonly TimeProvider _clock;
    private readonly TrainingProgress _progress;
    private readonly TaskCompletionSource? _closing;
    private readonly Task? _live;
    private LiveDisplayContext? _frame;
    private long? _shownAt;
    private StepMetrics? _shown;
    private bool _left;
    private bool _disposed;

    private LiveTrainingView(IAnsiConsole console, string title, int steps, TimeSpan? limit, TimeProvider clock, long tokens)
    {
        _console = console;
        _clock = clock;
        _progress = new TrainingProgress(title, steps, limit, clock, tokens);
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            WriteLine(title.ReplaceLineEndings(" "));
            return;
        }

        _closing = new TaskCompletionSource();
        Console.CancelKeyPress += ShowCursor;
        AppDomain.CurrentDomain.ProcessExit += ShowCursor;
        AppDomain.CurrentDomain.UnhandledException += ShowCursor;
        // The library's live display is a call that lasts as long as the display; it runs up to its first await here and the rest in Dispose.
        _live = new LiveDisplay(console, new TrainingFrame(_progress, _gate)).StartAsync(context =>
        {
            _frame = context;
            context.Refresh();
            return _closing.Task;
        });
        if (!_live.IsFaulted) return;
        Forget();
        _live.GetAwaiter().GetResult();
    }

    /// <summary>Cross-entropy of a smoothed bigram model on the validation text, in nats, to show beside the validation loss; null for none.</summary>
    public double? BigramLoss
    {
        get => _progress.BigramLoss;
        set
        {
            lock (_gate) _progress.BigramLoss = value;
        }
    }

    /// <summary>Where the run stands among others, a few words; null for a run of its own. Drawn with the next step.</summary>
    public string? Remark
    {
        get => _progress.Remark;
        set
        {
            lock (_gate) _progress.Remark = value;
        }
    }

    /// <summary>Time that the run took before the view began; counts as elapsed.</summary>
    internal TimeSpan Before
    {
        set
        {
            lock (_gate) _progress.Before = value;
        }
    }

    /// <summary>Seconds of a token, where the run tells them itself; the time that is left follows them.</summary>
    internal double? SecondsPerToken
    {
        set
        {
            lock (_gate) _progress.SecondsPerToken = value;
        }
    }

    /// <summary>Whether a view that is not drawn writes a line for every step instead of one every few seconds.</summary>
    internal bool EveryStep { get; init; }

    /// <summary>Starts a view.</summary>
    /// <param name="console">Where to draw; one that is not interactive or knows no escape sequences gets plain lines.</param>
    /// <param name="title">What is being trained, a few words.</param>
    /// <param name="steps">Steps of the run; 0 where only time limits it.</param>
    /// <param name="limit">Time after which the run stops, counted from now; null for none. Progress follows steps or time, whichever is nearer to its end.</param>
    /// <param name="clock">Source of time; null for the system's.</param>
    /// <param name="tokens">Tokens of the run, for one whose steps grow; 0 for steps of one size. Progress then follows tokens instead of steps.</param>
    /// <returns>The view; dispose it to give the terminal back.</returns>
    /// <exception cref="InvalidOperationException">Another live display or prompt is running on the console.</exception>
    public static LiveTrainingView Start(IAnsiConsole console, string title, int steps, TimeSpan? limit = null, TimeProvider? clock = null, long tokens = 0)
    {
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        return new LiveTrainingView(console, title, steps, limit, clock ?? TimeProvider.System, tokens);
    }

    /// <summary>Starts a view of somebody else's run, which writes a line for every step where it cannot draw; parameters as of <see cref="Start"/>.</summary>
    internal static LiveTrainingView StartFollowing(IAnsiConsole console, string title, int steps, long tokens, TimeProvider? clock = null) =>
        new(console, title, steps, null, clock ?? TimeProvider.System, tokens) { EveryStep = true };

    /// <summary>Takes the measurements of a step that lies behind, without showing it.</summary>
    internal void Recall(StepMetrics metrics)
    {
        lock (_gate) _progress.Add(metrics);
    }

    /// <summary>Takes the measurements of a step and draws, unless the last drawing is too recent.</summary>
    /// <param name="metrics">The step.</param>
    public void Report(StepMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        lock (_gate)
        {
            if (_disposed || _progress.Outcome != TrainingOutcome.Running) return;
            _progress.Add(metrics);
            if (!(EveryStep && _live is null) && _shownAt is { } at && _clock.GetElapsedTime(at) < (_live is null ? _lineTime : _frameTime)) return;
        }

        Show();
    }

    /// <summary>Draws a last time and says that the run is done.</summary>
    public void Complete() => End(TrainingOutcome.Complete);

    /// <summary>Leaves a run that goes on: the last picture stays as it is.</summary>
    internal void Leave() => _left = true;

    /// <summary>Gives the terminal back; the last picture stays on it. A run that was not completed is shown as stopped.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        try
        {
            if (!_left) End(TrainingOutcome.Stopped);
        }
        finally
        {
            _disposed = true;
            if (_live is not null)
            {
                _closing!.TrySetResult();
                Forget();
                _live.GetAwaiter().GetResult();
            }
        }
    }

    private void End(TrainingOutcome outcome)
    {
        lock (_gate)
        {
            if (_progress.Outcome != TrainingOutcome.Running) return;
            _progress.End(outcome);
        }

        if (_live is not null || !ReferenceEquals(_shown, _progress.Last)) Show();
        if (_live is null) WriteLine($"{(outcome == TrainingOutcome.Complete ? "done in" : "stopped after")} {Figures.Duration(_progress.Elapsed)}");
    }

    private void Show()
    {
        _shownAt = _clock.GetTimestamp();
        if (_frame is not null)
        {
            _frame.Refresh();
        }
        else if (_progress.Last is { } last)
        {
            _shown = last;
            WriteLine(Describe(last));
        }
    }

    /// <summary>A step as a line.</summary>
    internal string Describe(StepMetrics metrics)
    {
        var line = new StringBuilder("step ").Append(Figures.Whole(metrics.Step));
        if (_progress.Steps > 0) line.Append('/').Append(Figures.Whole(_progress.Steps));
        if (_progress.Share is { } share) line.Append(System.Globalization.CultureInfo.InvariantCulture, $" ({Math.Floor(share * 100):0}%)");
        line.Append("  loss ").Append(Figures.Loss(metrics.MainLoss));
        if (_progress.ValidationLoss is { } validation) line.Append("  validation ").Append(Figures.Loss(validation));
        if (_progress.BigramLoss is { } bigram) line.Append("  bigram ").Append(Figures.Loss(bigram));
        line.Append("  ").Append(Figures.Rate(metrics.TokensPerSecond, "tokens"));
        if (metrics.ModelFlopsUtilization is { } utilization) line.Append("  MFU ").Append(Figures.Percent(utilization));
        line.Append("  lr ").Append(Figures.Number(metrics.LearningRate));
        line.Append("  grad ").Append(Figures.Number(metrics.GradNorm));
        if (metrics.MaxViolation.Length > 0) line.Append("  MaxVio ").Append(Figures.Number(metrics.MaxViolation.Max()));
        if (_progress.Left is { } left) line.Append("  ").Append(Figures.Clock(left)).Append(" left");
        if (_progress.Remark is { } remark) line.Append("  (").Append(remark).Append(')');
        return line.ToString();
    }

    // Past the library, which would break the line at the width it assumes for a pipe.
    private void WriteLine(string line)
    {
        if (!_console.Profile.Capabilities.Unicode) line = line.Replace(Figures.Unknown, "-", StringComparison.Ordinal);
        _console.Profile.Out.Writer.WriteLine(line);
        _console.Profile.Out.Writer.Flush();
    }

    // A process that ends without unwinding (Ctrl-C that nobody handles, an error on another thread) would leave the terminal without a cursor.
    private void ShowCursor(object? sender, EventArgs e)
    {
        _console.Profile.Out.Writer.Write("\u001b[?25h");
        _console.Profile.Out.Writer.Flush();
    }

    private void Forget()
    {
        Console.CancelKeyPress -= ShowCursor;
        AppDomain.CurrentDomain.ProcessExit -= ShowCursor;
        AppDomain.CurrentDomain.UnhandledException -= ShowCursor;
    }
}
