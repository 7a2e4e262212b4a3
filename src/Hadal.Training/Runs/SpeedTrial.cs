using System.Diagnostics;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Batches;

namespace Hadal.Training.Runs;

/// <summary>Finds out how long a step takes on this machine, so that a run can be planned by the clock.</summary>
public static class SpeedTrial
{
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
        using var trainer = new Trainer(run, config, backend, source);
        var times = new List<TimeSpan>();
        var clock = new Stopwatch();
        for (int step = 1; step <= 2 || clock.Elapsed < time; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (step == 3) clock.Start();
            long started = Stopwatch.GetTimestamp();
            trainer.Step(step);
            if (step > 2) times.Add(Stopwatch.GetElapsedTime(started));
        }

        times.Sort();
        return times.Count == 0 ? time : times[times.Count / 2];
    }
}
