namespace Hadal.Training.Studies;

/// <summary>A figure over the seeds of a study.</summary>
/// <param name="Mean">Its mean.</param>
/// <param name="Deviation">Its standard deviation (of a sample: n - 1); NaN for a single seed.</param>
/// <param name="Count">Seeds it was taken over.</param>
public sealed record Spread(double Mean, double Deviation, int Count)
{
    /// <summary>The spread of the finite ones of some values.</summary>
    /// <param name="values">The values; null stands for none.</param>
    /// <returns>Null if there are none.</returns>
    public static Spread? Of(IEnumerable<double?> values)
    {
        double[] known = [.. values.Where(v => v is { } value && double.IsFinite(value)).Select(v => v!.Value)];
        if (known.Length == 0) return null;
        double mean = known.Average();
        double deviation = known.Length == 1 ? double.NaN : Math.Sqrt(known.Sum(v => (v - mean) * (v - mean)) / (known.Length - 1));
        return new Spread(mean, deviation, known.Length);
    }
}
