using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Timelines;

/// <summary>How many chunks' activations a rank holds over time.</summary>
/// <remarks>
/// A chunk counts from the start of its forward to the end of its whole backward, or, if the weight gradient is put off, to the end of that. During an overlapped forward and backward
/// both chunks count, which is why DualPipe's peak is P + 1 (report table 2) where a pair that takes and gives in turn would need P.
/// </remarks>
public sealed class ActivationCurve
{
    private ActivationCurve(IReadOnlyList<ActivationPoint> points) => Points = points;

    /// <summary>In the order of time; each holds until the next.</summary>
    public IReadOnlyList<ActivationPoint> Points { get; }

    /// <summary>The most chunks at any time.</summary>
    public int Peak => Points.Count == 0 ? 0 : Points.Max(p => p.Chunks);

    /// <summary>The most bytes at any time.</summary>
    /// <param name="bytesPerChunk">From the start of a chunk's forward to the end of its backward.</param>
    /// <param name="bytesPerDeferred">From then to the end of its weight gradient.</param>
    /// <returns>Bytes.</returns>
    public double PeakBytes(double bytesPerChunk, double bytesPerDeferred) => Points.Count == 0 ? 0 : Points.Max(p => p.Bytes(bytesPerChunk, bytesPerDeferred));

    internal static ActivationCurve Of(IReadOnlyList<TimelineSpan> spans)
    {
        var points = new List<ActivationPoint>();
        var (whole, deferred) = (0, 0);
        foreach (var span in spans)
        {
            if (span.Operation is not { } operation) continue;
            if (operation.Forward is not null) points.Add(new ActivationPoint(span.Start, ++whole, deferred));
            if (operation.Kind == OperationKind.WeightGradient) deferred--;
            else if (operation.Backward is not null) whole--;
            if (operation.Kind == OperationKind.BackwardForInputs) deferred++;
            if (operation.Kind != OperationKind.Forward) points.Add(new ActivationPoint(span.End, whole, deferred));
        }

        return new ActivationCurve(points);
    }
}
