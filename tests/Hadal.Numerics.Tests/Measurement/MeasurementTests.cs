using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Assembly;
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
        Assert.Equal(ProcessorFeatures.HasBFloat16Dot512 && ExecutableMemory.Refusal is null, peak.Bf16Gflops > 0);
        Assert.Equal(AvxVnni.IsSupported || Dp.IsSupported || (ProcessorFeatures.HasByteDot512 && ExecutableMemory.Refusal is null), peak.Int8Gops > 0);
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

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    public void Latent_attention_is_measured_consistently(DType type)
    {
        var result = LatentAttentionMeasurement.Measure(1, 3, 70, type, 0, TestContext.Current.CancellationToken);
        int bytes = type == DType.F8E4M3 ? 656 : 576 * type.SizeOf();
        Assert.True(result.Seconds > 0);
        Assert.Equal(2.0 * 70 * 3 * 1088 / result.Seconds / 1e9, result.Gflops, 1e-9 * result.Gflops);
        Assert.Equal(70.0 * bytes / result.Seconds / 1e9, result.CacheGbPerS, 1e-9 * result.CacheGbPerS);
    }
}
