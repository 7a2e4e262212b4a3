namespace Hadal.Parallel.Tests.Training;

/// <summary>How far two sets of gradients are apart: 1 − 2⟨x, y⟩ / (‖x‖² + ‖y‖²) in FP64, 0 for equal ones (the measure of DualPipe's own correctness test).</summary>
internal static class GradientDistance
{
    /// <summary>Of all gradients together.</summary>
    public static double Of(IReadOnlyDictionary<string, float[]> x, IReadOnlyDictionary<string, float[]> y)
    {
        Assert.Equal(x.Keys.Order(), y.Keys.Order());
        string[] names = [.. x.Keys.Order()];
        return Of([.. names.SelectMany(n => x[n])], [.. names.SelectMany(n => y[n])]);
    }

    /// <summary>Of the parameter whose gradients are the furthest apart.</summary>
    public static double OfWorst(IReadOnlyDictionary<string, float[]> x, IReadOnlyDictionary<string, float[]> y) => x.Max(p => Of(p.Value, y[p.Key]));

    private static double Of(float[] x, float[] y)
    {
        double product = 0, squares = 0;
        for (int i = 0; i < x.Length; i++)
        {
            product += (double)x[i] * y[i];
            squares += (double)x[i] * x[i] + (double)y[i] * y[i];
        }

        // An expert that no token chose has no gradient.
        return squares == 0 ? 0 : 1 - 2 * product / squares;
    }
}
