using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Measurement;

namespace Hadal.Numerics.Tests.Measurement;

public class MeasurementTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Limits_are_measured_as_far_as_there_are_instructions(int threads)
    {
        var peak = PeakMeasurement.Measure(threads, bufferBytes: 1 << 20, secondsPerRun: 1e-4, repetitions: 2, TestContext.Current.CancellationToken);
        Assert.Equal(threads, peak.Threads);
        Assert.True(double.IsFinite(peak.ReadGbPerS) && peak.ReadGbPerS > 0);
        Assert.True(double.IsFinite(peak.Fp32Gflops) && peak.Fp32Gflops > 0);
        Assert.Null(peak.Bf16Gflops);
        Assert.Equal(AvxVnni.IsSupported || Dp.IsSupported, peak.Int8Gops > 0);
    }

    [Fact]
    public void The_product_is_measured() => Assert.True(GemmMeasurement.MeasureGflops(2, 64, 1e-3, TestContext.Current.CancellationToken) > 0);

    [Fact]
    public void A_measurement_can_be_cancelled()
    {
        var cancelled = new CancellationToken(true);
        Assert.Throws<OperationCanceledException>(() => PeakMeasurement.Measure(1, 1 << 20, 1e-4, 1, cancelled));
        Assert.Throws<OperationCanceledException>(() => GemmMeasurement.MeasureGflops(1, 16, 1e-3, cancelled));
    }

    [Fact]
    public void Sizes_and_threads_out_of_range_are_refused()
    {
        var token = TestContext.Current.CancellationToken;
        Assert.Throws<ArgumentOutOfRangeException>(() => GemmMeasurement.MeasureGflops(0, cancellation: token));
        Assert.Throws<ArgumentOutOfRangeException>(() => GemmMeasurement.MeasureGflops(1, 0, cancellation: token));
        Assert.Throws<ArgumentOutOfRangeException>(() => GemmMeasurement.MeasureGflops(1, 20000, cancellation: token));
        Assert.Throws<ArgumentOutOfRangeException>(() => PeakMeasurement.Measure(0, token));
    }
}
