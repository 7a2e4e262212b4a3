using System.Diagnostics;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;

namespace Hadal.Training.Runs;

/// <summary>Finds out how long a step takes on this machine, so that a run can be planned by the clock.</summary>
public static class SpeedTrial
{
    // Steps that compile and touch memory.
    private const int Warmup = 2;

    /// <summary>Trains a throw-away copy of the model for a while.</summary>
    /// <param name="run">The run, of any number of steps.</param>
    /// <param name="config">Its model.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="source">Training sequences.</param>
    /// <param name="time">How long to look, beyond the first two steps, which compile and touch memory.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>The median time of a step.</returns>
    public static TimeSpan Measure(RunConfig run, ModelConfig config, IBackend backend, IBatchSource source, TimeSpan time, CancellationToken cancellation)
    {
        var clock = new Stopwatch();
        var (times, _) = Take(run, config, backend, source, Warmup, step => step <= Warmup || clock.Elapsed < time, step =>
        {
            if (step == Warmup + 1) clock.Start();
        }, cancellation);
        times.Sort();
        return times.Count == 0 ? time : times[times.Count / 2];
    }

    /// <summary>Trains a throw-away copy of the model for some steps.</summary>
    /// <param name="run">The run, of any number of steps.</param>
    /// <param name="config">Its model.</param>
    /// <param name="backend">Where to compute.</param>
    /// <param name="source">Training sequences.</param>
    /// <param name="warmup">Steps whose time does not count, which compile and touch memory.</param>
    /// <param name="steps">Steps that are timed.</param>
    /// <param name="before">Called before each step with its number, from 1; steps that are timed come after <paramref name="warmup"/>.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <returns>The time of each timed step, and the loss of the last one in nats.</returns>
    public static (IReadOnlyList<TimeSpan> Times, double Loss) Measure(
        RunConfig run, ModelConfig config, IBackend backend, IBatchSource source, int warmup, int steps, Action<int> before, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(before);
        return Take(run, config, backend, source, warmup, step => step <= warmup + steps, before, cancellation);
    }

    private static (List<TimeSpan> Times, double Loss) Take(
        RunConfig run, ModelConfig config, IBackend backend, IBatchSource source, int warmup, Func<int, bool> goesOn, Action<int> before, CancellationToken cancellation)
    {
        using var trainer = new Trainer(run, config, backend, source);
        var times = new List<TimeSpan>();
        double loss = double.NaN;
        for (int step = 1; goesOn(step); step++)
        {
            cancellation.ThrowIfCancellationRequested();
            before(step);
            long started = Stopwatch.GetTimestamp();
            loss = trainer.Step(step).MainLoss;
            if (step > warmup) times.Add(Stopwatch.GetElapsedTime(started));
        }

        return (times, loss);
    }
}
