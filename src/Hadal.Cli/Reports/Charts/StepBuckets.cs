using Hadal.Training.Metrics;

namespace Hadal.Cli.Reports.Charts;

/// <summary>A run of any length as a bounded number of points: stretches of steps, each with the mean and the range of a value.</summary>
internal sealed class StepBuckets
{
    private readonly IReadOnlyList<StepMetrics> _steps;
    private readonly int _count;

    /// <summary>Cuts a run.</summary>
    /// <param name="steps">Steps, ascending.</param>
    /// <param name="most">The largest number of stretches.</param>
    public StepBuckets(IReadOnlyList<StepMetrics> steps, int most)
    {
        _steps = steps;
        _count = Math.Min(steps.Count, most);
    }

    /// <summary>Number of stretches.</summary>
    public int Count => _count;

    /// <summary>Whether a stretch is more than a step, so that there is a range to show.</summary>
    public bool Merged => _count < _steps.Count;

    /// <summary>A value's mean and range in each stretch; where no step of a stretch has a finite value the mean is NaN, and the curve has a gap.</summary>
    /// <param name="value">The value of a step; NaN where it has none.</param>
    /// <returns>One point a stretch, at the middle of its steps.</returns>
    public StepPoint[] Reduce(Func<StepMetrics, double> value)
    {
        var points = new StepPoint[_count];
        for (int i = 0; i < _count; i++)
        {
            var (first, end) = Bounds(i);
            double sum = 0;
            int counted = 0;
            double low = double.NaN;
            double high = double.NaN;
            for (int s = first; s < end; s++)
            {
                double v = value(_steps[s]);
                if (!double.IsFinite(v)) continue;
                low = counted == 0 ? v : Math.Min(low, v);
                high = counted == 0 ? v : Math.Max(high, v);
                sum += v;
                counted++;
            }

            points[i] = new StepPoint((_steps[first].Step + (double)_steps[end - 1].Step) / 2, counted == 0 ? double.NaN : sum / counted, low, high);
        }

        return points;
    }

    /// <summary>Load of each expert of a layer in each stretch, relative to an even share (1); NaN where the loads were not recorded.</summary>
    /// <param name="layer">The layer's place in the metrics.</param>
    /// <param name="experts">Experts of the layer.</param>
    /// <returns>By stretch and expert.</returns>
    public double[,] RelativeLoad(int layer, int experts)
    {
        var relative = new double[_count, experts];
        var counts = new double[experts];
        for (int i = 0; i < _count; i++)
        {
            var (first, end) = Bounds(i);
            Array.Clear(counts);
            for (int s = first; s < end; s++)
            {
                if (_steps[s].ExpertLoad is not { } load || layer >= load.Length || load[layer].Length != experts) continue;
                for (int e = 0; e < experts; e++) counts[e] += load[layer][e];
            }

            double even = counts.Sum() / experts;
            for (int e = 0; e < experts; e++) relative[i, e] = even > 0 ? counts[e] / even : double.NaN;
        }

        return relative;
    }

    private (int First, int End) Bounds(int bucket) =>
        ((int)((long)bucket * _steps.Count / _count), (int)((long)(bucket + 1) * _steps.Count / _count));
}

/// <summary>A value over a stretch of steps.</summary>
/// <param name="Step">Middle of the stretch.</param>
/// <param name="Mean">Mean of the finite values; NaN for none.</param>
/// <param name="Low">Smallest finite value.</param>
/// <param name="High">Largest finite value.</param>
internal readonly record struct StepPoint(double Step, double Mean, double Low, double High);
