using Hadal.Numerics.Measurement;
using Hadal.Training.Precision;
using Hadal.Training.Runs;

namespace Hadal.Cli.Wiring;

/// <summary>What this machine's matrix product reaches, against which a run's speed is held.</summary>
internal static class ArithmeticPeak
{
    // A run of seconds is not worth measuring for one.
    private const double WorthwhileFlops = 2e12;
    private const double Seconds = 0.5;

    /// <summary>Measures for a run, for half a second.</summary>
    /// <param name="file">The run.</param>
    /// <param name="threads">Threads that compute; 0 for one per processor.</param>
    /// <param name="cancellation">Stops between two products.</param>
    /// <returns>10⁹ operations per second of the FP32 product, or for a run of another precision of the BF16 product; null for a run of seconds.</returns>
    public static double? Measure(RunFile file, int threads, CancellationToken cancellation)
    {
        var (main, mtp) = RunPlan.FlopsOf(file.Run, file.Model);
        if ((main + mtp) * file.Run.Tokens < WorthwhileFlops) return null;
        if (threads == 0) threads = Environment.ProcessorCount;
        return file.Run.Precision == PrecisionPolicy.Full.Name
            ? GemmMeasurement.MeasureGflops(threads, seconds: Seconds, cancellation: cancellation)
            : GemmMeasurement.MeasureBf16Gflops(threads, seconds: Seconds, cancellation: cancellation);
    }
}
