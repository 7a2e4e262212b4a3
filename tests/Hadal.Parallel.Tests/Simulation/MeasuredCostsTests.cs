using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Tests.Simulation;

public class MeasuredCostsTests
{
    public static TheoryData<ScheduleKind> Kinds => [.. Enum.GetValues<ScheduleKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Costs_of_a_recorded_run_time_it_as_it_was(ScheduleKind kind)
    {
        var schedule = Schedule.Create(kind, 4, 16);
        StageCosts[] stages = [.. Enumerable.Range(0, schedule.Layout.Stages).Select(s => new StageCosts(1 + 0.1 * s, 2.2 + 0.1 * s, 1.3, 0.8 + 0.05 * s))];
        var message = new MessageCosts(0.01, 1, 50);
        var recorded = ScheduleSimulator.Simulate(schedule, new ScheduleCosts(stages, (f, b) => 2.5 + 0.1 * f + 0.05 * b, message));
        var again = ScheduleSimulator.Simulate(schedule, MeasuredCosts.Of(schedule, recorded, message));
        Assert.Equal(recorded.Duration, again.Duration, 1e-9);
        for (int r = 0; r < 4; r++) Assert.Equal(recorded.Bubble(r), again.Bubble(r), 1e-9);
    }

    [Fact]
    public void One_schedule_can_be_timed_by_a_run_of_another()
    {
        var (ran, other) = (Schedule.Create(ScheduleKind.OneForwardOneBackward, 4, 16), Schedule.Create(ScheduleKind.ZeroBubble, 4, 16));
        var recorded = ScheduleSimulator.Simulate(ran, ScheduleCosts.Uniform(4, StageCosts.Of(1, 2, 1), 3));
        var expected = ScheduleSimulator.Simulate(other, ScheduleCosts.Uniform(4, StageCosts.Of(1, 2, 1), 3));
        Assert.Equal(expected.Duration, ScheduleSimulator.Simulate(other, MeasuredCosts.Of(ran, recorded, MessageCosts.Free())).Duration, 1e-9);
    }

    [Fact]
    public void A_slow_moment_does_not_count()
    {
        var schedule = Schedule.Create(ScheduleKind.OneForwardOneBackward, 1, 5);
        var spans = ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(1, StageCosts.Of(1, 2, 1), 3)).Lanes[0].Spans.ToArray();
        spans[4] = spans[4] with { End = spans[4].End + 50 };
        var costs = MeasuredCosts.Of(schedule, new Timeline("", [new TimelineLane("rank 0", spans)]), MessageCosts.Free());
        Assert.Equal(new StageCosts(1, 2, 1, 1), costs.Stages[0]);
    }

    [Fact]
    public void A_recording_of_something_else_is_refused()
    {
        var schedule = Schedule.Create(ScheduleKind.OneForwardOneBackward, 2, 4);
        var recorded = ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3));
        var three = Schedule.Create(ScheduleKind.OneForwardOneBackward, 3, 4);
        Assert.Contains("has 2 ranks; the schedule has 3", Assert.Throws<ArgumentException>(() => MeasuredCosts.Of(three, recorded, MessageCosts.Free())).Message, StringComparison.Ordinal);
        var half = new Timeline("", [.. recorded.Lanes.Select(l => new TimelineLane(l.Name, [.. l.Spans.Where(s => s.Operation!.Value.Kind == OperationKind.Forward)]))]);
        Assert.Contains("no backward of stage 0", Assert.Throws<ArgumentException>(() => MeasuredCosts.Of(schedule, half, MessageCosts.Free())).Message, StringComparison.Ordinal);
    }
}
