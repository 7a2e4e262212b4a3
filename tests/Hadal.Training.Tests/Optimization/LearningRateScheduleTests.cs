using Hadal.Training.Optimization;

namespace Hadal.Training.Tests.Optimization;

public class LearningRateScheduleTests
{
    private const long Trillion = 1_000_000_000_000, Last = 14_800 * Trillion / 1000;

    // Report section 4.2.
    private static readonly OptimizerSettings _report = new() { DecayStart = 10e12, DecayEnd = 14.3e12, LearningRateChanges = [new(14.633e12, 7.3e-6)] };

    [Theory]
    [InlineData(1000, 0, 1.1e-4)]
    [InlineData(2000, 0, 2.2e-4)]
    [InlineData(200_000, 10_000, 2.2e-4)]
    [InlineData(200_000, 12_150, 1.21e-4)]
    [InlineData(200_000, 14_300, 2.2e-5)]
    [InlineData(200_000, 14_632, 2.2e-5)]
    [InlineData(200_000, 14_633, 7.3e-6)]
    [InlineData(200_000, 14_700, 7.3e-6)]
    public void Rates_by_tokens_are_the_reports(long step, long billions, double expected) =>
        Assert.Equal(expected, LearningRateSchedule.At(_report, step, new RunPosition(billions * Trillion / 1000, Last)), 1e-12);

    [Theory]
    [InlineData(1000, 1.1e-4)]
    [InlineData(2000, 2.2e-4)]
    [InlineData(100_000, 2.2e-4)]
    [InlineData(121_500, 1.21e-4)]
    [InlineData(143_000, 2.2e-5)]
    [InlineData(148_000, 2.2e-5)]
    public void Turning_points_by_share_are_the_same_parts_of_a_run_of_any_length(long tokens, double expected) =>
        Assert.Equal(expected, LearningRateSchedule.At(new OptimizerSettings(), tokens, new RunPosition(tokens, 148_000)), 1e-9);

    [Fact]
    public void A_run_of_one_step_has_a_rate() =>
        Assert.Equal(2.2e-5, LearningRateSchedule.At(new OptimizerSettings { WarmupSteps = 0 }, 1, new RunPosition(0, 0)), 1e-12);

    [Fact]
    public void A_decay_that_starts_and_ends_at_the_last_step_leaves_it_the_peak() =>
        Assert.Equal(2.2e-4, LearningRateSchedule.At(new OptimizerSettings { WarmupSteps = 0, DecayStart = 1, DecayEnd = 1 }, 100, new RunPosition(990, 990)), 1e-12);

    [Fact]
    public void A_setting_changes_at_its_points_and_keeps_the_last_value()
    {
        ValueChange[] changes = [new(0.5, 0.2), new(900, 0.1)];
        Assert.Equal([0.3, 0.3, 0.2, 0.2, 0.1, 0.1], new long[] { 0, 499, 500, 899, 900, 1000 }.Select(t => new RunPosition(t, 1000).Value(0.3, changes)));
    }
}
