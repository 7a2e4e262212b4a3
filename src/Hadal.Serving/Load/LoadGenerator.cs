using System.Collections.Concurrent;
using System.Diagnostics;

namespace Hadal.Serving.Load;

/// <summary>Asks a server as many people would, and measures what each of them meets.</summary>
public sealed class LoadGenerator : IDisposable
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(20);
    private readonly LoadServer _server;

    private LoadGenerator(LoadServer server) => _server = server;

    /// <summary>What the server calls its model.</summary>
    public string Model => _server.Model;

    /// <summary>Whether prompts have exactly the lengths asked for; a server without <c>/tokenize</c> gets so many words instead.</summary>
    public bool HasTokens => _server.HasTokens;

    /// <summary>Finds out what a server serves.</summary>
    /// <param name="server">Its address, with or without <c>/v1</c>.</param>
    /// <param name="model">The model; null for the first that the server names.</param>
    /// <param name="key">An API key; null for none.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>A generator for that server.</returns>
    /// <exception cref="LoadException">There is no such server.</exception>
    public static async Task<LoadGenerator> ConnectAsync(Uri server, string? model = null, string? key = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        return new LoadGenerator(await LoadServer.ConnectAsync(server, model, key, cancellation).ConfigureAwait(false));
    }

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">What to ask; it has to have an end (<see cref="LoadPlan.Requests"/> or <see cref="LoadPlan.Duration"/>).</param>
    /// <param name="progress">Hears several times a second how far it is; null for nobody.</param>
    /// <param name="stop">Ends it early; what was measured is reported all the same.</param>
    /// <returns>What was measured.</returns>
    /// <exception cref="ArgumentException">The plan has no end.</exception>
    public async Task<LoadReport> RunAsync(LoadPlan plan, IProgress<LoadProgress>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan is { Requests: null, Duration: null }) throw new ArgumentException("The plan has neither a number of requests nor a duration, so it would never end.", nameof(plan));
        var run = new Run(_server, plan);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watch = run.WatchAsync(progress, over.Token);
        await (plan.Rate is { } rate ? run.OpenAsync(rate, stop) : run.ClosedAsync(stop)).ConfigureAwait(false);
        double seconds = run.Seconds;
        await over.CancelAsync().ConfigureAwait(false);
        await watch.ConfigureAwait(false);
        return new LoadReport { Requests = [.. run.Measurements], Seconds = seconds, Lag = LoadPercentiles.Of(run.Lags) };
    }

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();

    private sealed class Run(LoadServer server, LoadPlan plan)
    {
        private readonly Lock _gate = new();
        private readonly LoadRequests _requests = new(plan, server);
        private readonly long _start = Stopwatch.GetTimestamp();
        private int _sent;
        private int _failed;
        private long _pieces;

        public ConcurrentQueue<LoadMeasurement> Measurements { get; } = new();

        public ConcurrentQueue<double> Lags { get; } = new();

        public double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

        // Arrivals do not wait for answers.
        public async Task OpenAsync(double rate, CancellationToken stop)
        {
            var under = new List<Task>();
            double due = 0;
            try
            {
                while (plan.Requests is not { } most || _sent < most)
                {
                    // Drawn before its time has come, so that the drawing takes none of it.
                    due += _requests.NextGap(rate);
                    if (due > plan.Duration?.TotalSeconds) break;
                    var request = _requests.Next();
                    if (due - Seconds is > 0 and var wait) await Task.Delay(TimeSpan.FromSeconds(wait), stop).ConfigureAwait(false);
                    stop.ThrowIfCancellationRequested();
                    Lags.Enqueue(Math.Max(0, Seconds - due));
                    _sent++;
                    long moment = _start + (long)(due * Stopwatch.Frequency);
                    under.Add(Task.Run(() => AskAsync(request, moment, stop), CancellationToken.None));
                    under.RemoveAll(t => t.IsCompletedSuccessfully);
                }
            }
            catch (OperationCanceledException)
            {
                // Those under way hear of it themselves.
            }

            await Task.WhenAll(under).ConfigureAwait(false);
        }

        public Task ClosedAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, plan.Concurrency).Select(_ => Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested && Seconds < (plan.Duration?.TotalSeconds ?? double.MaxValue))
                {
                    LoadRequest request;
                    lock (_gate)
                    {
                        if (_sent >= plan.Requests) return;
                        _sent++;
                        request = _requests.Next();
                    }

                    await AskAsync(request, Stopwatch.GetTimestamp(), stop).ConfigureAwait(false);
                }
            },
            CancellationToken.None)));

        // Tells how far it is, and how late this process's own timers are: what they are late by, the server is not to blame for.
        public async Task WatchAsync(IProgress<LoadProgress>? progress, CancellationToken over)
        {
            try
            {
                for (int i = 0; ; i++)
                {
                    long before = Stopwatch.GetTimestamp();
                    await Task.Delay(_tick, over).ConfigureAwait(false);
                    Lags.Enqueue(Math.Max(0, (Stopwatch.GetElapsedTime(before) - _tick).TotalSeconds));
                    if (i % 10 == 0) progress?.Report(new LoadProgress(Seconds, _sent, Measurements.Count, _failed, Interlocked.Read(ref _pieces)));
                }
            }
            catch (OperationCanceledException)
            {
                // It is over.
            }
        }

        private async Task AskAsync(LoadRequest request, long due, CancellationToken stop)
        {
            var measurement = await new LoadReading(server, request, plan, due, () => Interlocked.Increment(ref _pieces)).RunAsync(stop).ConfigureAwait(false);
            if (measurement.Outcome == LoadOutcome.Failed) Interlocked.Increment(ref _failed);
            Measurements.Enqueue(measurement);
        }
    }
}
