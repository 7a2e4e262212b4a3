namespace Hadal.Cli.Reports.Charts;

/// <summary>Curves of any length as a bounded number of points.</summary>
internal static class CurvePoints
{
    /// <summary>Means of stretches of steps.</summary>
    /// <param name="curve">One value a step; what is not finite is left out.</param>
    /// <param name="firstStep">Step of the first value.</param>
    /// <param name="most">The largest number of points.</param>
    /// <returns>Points at the middle of their stretches.</returns>
    public static StepPoint[] Of(ReadOnlySpan<double> curve, int firstStep, int most)
    {
        int count = Math.Min(curve.Length, most);
        var points = new StepPoint[count];
        for (int i = 0; i < count; i++)
        {
            int from = (int)((long)i * curve.Length / count), to = (int)((long)(i + 1) * curve.Length / count), counted = 0;
            double sum = 0, low = double.NaN, high = double.NaN;
            foreach (double v in curve[from..to])
            {
                if (!double.IsFinite(v)) continue;
                low = counted == 0 ? v : Math.Min(low, v);
                high = counted == 0 ? v : Math.Max(high, v);
                sum += v;
                counted++;
            }

            points[i] = new StepPoint(firstStep + (from + to - 1) / 2.0, counted == 0 ? double.NaN : sum / counted, low, high);
        }

        return points;
    }
}
