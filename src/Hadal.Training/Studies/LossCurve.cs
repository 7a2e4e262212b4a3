using Hadal.Training.Metrics;

namespace Hadal.Training.Studies;

/// <summary>Smoothed losses of runs, and how far two of them are apart.</summary>
public static class LossCurve
{
    /// <summary>Share of the average that a step keeps: the curves that the report compares precisions by (spec 7.4).</summary>
    public const double Kept = 0.9;

    /// <summary>The exponential moving average s₁ = x₁, sₜ = 0.9·sₜ₋₁ + 0.1·xₜ of the next token's loss; what is not finite leaves it as it is.</summary>
    /// <param name="steps">Steps in order.</param>
    /// <returns>One value a step; NaN before the first finite loss.</returns>
    public static double[] Smooth(IReadOnlyList<StepMetrics> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        var smooth = new double[steps.Count];
        double average = double.NaN;
        for (int i = 0; i < smooth.Length; i++)
        {
            double loss = steps[i].MainLoss;
            if (double.IsFinite(loss)) average = double.IsNaN(average) ? loss : Kept * average + (1 - Kept) * loss;
            smooth[i] = average;
        }

        return smooth;
    }

    /// <summary>(curve - baseline) / baseline at every step that both have.</summary>
    /// <param name="curve">A curve that begins at step 1.</param>
    /// <param name="baseline">The curve it is compared with.</param>
    /// <returns>One share a step.</returns>
    public static double[] RelativeDifference(double[] curve, double[] baseline)
    {
        ArgumentNullException.ThrowIfNull(curve);
        ArgumentNullException.ThrowIfNull(baseline);
        var difference = new double[Math.Min(curve.Length, baseline.Length)];
        for (int i = 0; i < difference.Length; i++) difference[i] = (curve[i] - baseline[i]) / baseline[i];
        return difference;
    }

    /// <summary>The mean of several curves at every step that all of them have.</summary>
    /// <param name="curves">The curves.</param>
    /// <returns>One value a step; empty for no curves.</returns>
    public static double[] Mean(IReadOnlyList<double[]> curves)
    {
        ArgumentNullException.ThrowIfNull(curves);
        var mean = new double[curves.Count == 0 ? 0 : curves.Min(c => c.Length)];
        for (int i = 0; i < mean.Length; i++)
        {
            foreach (double[] curve in curves) mean[i] += curve[i] / curves.Count;
        }

        return mean;
    }

    /// <summary>The largest absolute value in the last part of a curve.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="share">How much of it is looked at, 0 to 1; at least its last value.</param>
    /// <returns>NaN for an empty curve, or one with a value there that is not a number.</returns>
    public static double LargestAtEnd(double[] curve, double share)
    {
        ArgumentNullException.ThrowIfNull(curve);
        double largest = curve.Length == 0 ? double.NaN : 0;
        for (int i = EndStart(curve.Length, share); i < curve.Length; i++) largest = Math.Max(largest, Math.Abs(curve[i]));
        return largest;
    }

    /// <summary>Where the last part of a run begins.</summary>
    internal static int EndStart(int count, double share) => count - Math.Clamp((int)Math.Round(count * share), Math.Min(1, count), count);
}
