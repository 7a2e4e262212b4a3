using Hadal.Training.Optimization;

namespace Hadal.Training.Tests.Optimization;

public class LearningRateScheduleTests
{
    // The report's run in steps of 0.1 billion tokens: 14.8T tokens, decay from 10T to 14.3T.
    private static readonly OptimizerSettings _report = new();
    private const long Steps = 148_001;

    [Theory]
    [InlineData(1000, 1.1e-4)]
    [InlineData(2000, 2.2e-4)]
    [InlineData(100_001, 2.2e-4)]
    [InlineData(121_501, 1.21e-4)]
    [InlineData(143_001, 2.2e-5)]
    [InlineData(148_001, 2.2e-5)]
    public void Turning_points_are_the_reports(long step, double expected) =>
        Assert.Equal(expected, LearningRateSchedule.At(_report, step, Steps), 1e-9);

    [Fact]
    public void A_run_of_one_step_has_a_rate() => Assert.Equal(2.2e-5, LearningRateSchedule.At(_report with { WarmupSteps = 0 }, 1, 1), 1e-12);
}
