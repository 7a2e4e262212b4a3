using CsCheck;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Optimization;

public class BatchScheduleTests
{
    // Report section 4.2, in micro-batches of one sequence.
    private static readonly RunConfig _report = new() { BatchSequences = 15360, SequenceLength = 4096, BatchRamp = new BatchRamp(3072, 469e9), Steps = 250_000 };

    [Fact]
    public void The_reports_ramp_takes_15_thousand_steps_and_14_8_trillion_tokens_243_thousand()
    {
        var schedule = new BatchSchedule(_report);
        Assert.Equal(3072, schedule.Sequences(1));
        Assert.Equal(15360, schedule.Sequences(250_000));
        Assert.Equal(62_914_560, schedule.Tokens(250_000));
        long full = Enumerable.Range(1, 20_000).First(s => schedule.Sequences(s) == 15360);
        Assert.InRange(full, 14_950, 15_050);
        long steps = schedule.StepsFor(14_800_000_000_000);
        Assert.InRange(steps, 242_700, 243_000);
        Assert.True(schedule.TokensBefore(steps + 1) >= 14_800_000_000_000 && schedule.TokensBefore(steps) < 14_800_000_000_000);
    }

    [Fact]
    public void Every_step_has_what_a_plain_loop_counts() => Gen.Select(Gen.Int[1, 5], Gen.Int[1, 40], Gen.Int[0, 40], Gen.Int[1, 9], Gen.Int[1, 20_000]).Sample((micro, start, growth, length, tokens) =>
    {
        var run = new RunConfig
        {
            MicroBatchSequences = micro,
            BatchSequences = (start + growth) * micro,
            SequenceLength = length,
            BatchRamp = new BatchRamp(start * micro, tokens),
        };
        var schedule = new BatchSchedule(run);
        long seen = 0, microBatches = 0;
        for (int step = 1; step <= 300; step++)
        {
            int expected = seen >= tokens ? start + growth : start + (int)(growth * seen / tokens);
            Assert.Equal(expected, schedule.MicroBatches(step));
            Assert.Equal(expected * micro, schedule.Sequences(step));
            Assert.Equal(microBatches, schedule.MicroBatchesBefore(step));
            Assert.Equal(seen, schedule.TokensBefore(step));
            Assert.Equal((long)expected * micro * length, schedule.Tokens(step));
            if (step > 1) Assert.Equal(step - 1, schedule.StepsFor(seen));
            if (step > 1) Assert.Equal(step, schedule.StepsFor(seen + 1));
            microBatches += expected;
            seen += (long)expected * micro * length;
        }
    }, iter: 200, seed: "0N0XIzNsQ0O2");

    [Fact]
    public void Without_a_ramp_all_steps_are_alike()
    {
        var schedule = new BatchSchedule(TinyRun.Run);
        Assert.Equal((2, 4, 96L, 10L, 480L), (schedule.MicroBatches(6), schedule.Sequences(6), schedule.Tokens(6), schedule.MicroBatchesBefore(6), schedule.TokensBefore(6)));
        Assert.Equal(6 * 96, TinyRun.Run.Tokens);
    }
}
