using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Tests.Simulation;

public class ScheduleSimulatorTests
{
    [Fact]
    public void Two_ranks_of_1F1B_run_as_worked_out_by_hand()
    {
        // F 1, B 2, and a message 0.5 through the port and 0.25 on the way: rank 0 is [0,1], rank 1 has its input at 1.75.
        var timeline = Simulate(ScheduleKind.OneForwardOneBackward, 2, 2, StageCosts.Of(1, 2, 1), new MessageCosts(0.25, 50, 100));
        Assert.Equal("F.0.0 [0, 1]; F.0.1 [1.75, 2.75]; B.0.0 [5.5, 7.5]; B.0.1 [9.25, 11.25]", Text(timeline.Lanes[0]));

        // The send of F.0.1 and the receive of B.0.0's gradient are one batch, which rank 1 joins when its own backward has ended, at 4.75.
        Assert.Equal("F.0.0 [1.75, 2.75]; B.0.0 [2.75, 4.75]; F.0.1 [5.5, 6.5]; B.0.1 [6.5, 8.5]", Text(timeline.Lanes[1]));
        Assert.Equal(11.25, timeline.Duration);
        Assert.Equal(11.25 - 6, timeline.Bubble(0));
        Assert.Equal(1 - 12 / 22.5, timeline.BubbleFraction, 1e-12);
    }

    [Fact]
    public void Buffered_sends_hold_nobody_up()
    {
        var timeline = Simulate(ScheduleKind.OneForwardOneBackward, 2, 2, StageCosts.Of(1, 2, 1), new MessageCosts(0.25, 50, 100, MessageEnd.Buffered));
        Assert.Equal("F.0.0 [0, 1]; F.0.1 [1, 2]; B.0.0 [5.5, 7.5]; B.0.1 [8.5, 10.5]", Text(timeline.Lanes[0]));
        Assert.Equal("F.0.0 [1.75, 2.75]; B.0.0 [2.75, 4.75]; F.0.1 [4.75, 5.75]; B.0.1 [5.75, 7.75]", Text(timeline.Lanes[1]));
    }

    [Fact]
    public void Messages_through_one_port_follow_each_other()
    {
        // Rank 0 of two begins SF and RF together; the steady batches of four messages hold each port for two of them.
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 2, 8);
        var free = Pairs(ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3)));
        var costly = Pairs(ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3, new MessageCosts(0, 10, 100))));

        // Every second pair of a rank at an end is followed by four messages, two each way: 0.2 seconds.
        Assert.Equal(3, free[2] - free[1], 1e-12);
        Assert.Equal(3.2, costly[2] - costly[0] - 3, 1e-12);
    }

    [Fact]
    public void Every_stage_has_its_own_costs()
    {
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 4, 8);
        StageCosts[] stages = [.. Enumerable.Range(0, 4).Select(s => new StageCosts(1 + s, 10 + s, 20 + s, 30 + s))];
        var timeline = ScheduleSimulator.Simulate(schedule, new ScheduleCosts(stages, (forward, backward) => 100 * (forward + 1) + backward, MessageCosts.Free()));
        for (int r = 0; r < 4; r++)
        {
            foreach (var span in timeline.Lanes[r].Spans)
            {
                var operation = span.Operation!.Value;
                int stage = operation.Chunk.Direction == 0 ? r : 3 - r, other = operation.Other.Direction == 0 ? r : 3 - r;
                double expected = operation.Kind switch
                {
                    OperationKind.Forward => 1 + stage,
                    OperationKind.Backward => 10 + stage,
                    OperationKind.BackwardForInputs => 20 + stage,
                    OperationKind.WeightGradient => 30 + stage,
                    _ => 100 * (stage + 1) + other,
                };
                Assert.Equal(expected, span.Duration, 1e-9);
            }
        }
    }

    [Fact]
    public void Spans_are_the_operations_of_the_schedule_in_their_order_and_never_overlap()
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>())
        {
            var schedule = Schedule.Create(kind, 4, 12);
            var timeline = ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(schedule.Layout.Stages, StageCosts.Of(1.1, 2.3, 0.9), 2.9, new MessageCosts(0.01, 1, 20)));
            for (int r = 0; r < 4; r++)
            {
                Assert.Equal(schedule.Ranks[r].Steps.Select(s => s.Operation), timeline.Lanes[r].Spans.Select(s => s.Operation!.Value));
                for (int i = 1; i < timeline.Lanes[r].Spans.Count; i++) Assert.True(timeline.Lanes[r].Spans[i].Start >= timeline.Lanes[r].Spans[i - 1].End);
            }
        }
    }

    [Fact]
    public void Dearer_messages_never_make_a_step_shorter()
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>())
        {
            double before = 0;
            for (int bytes = 0; bytes <= 40; bytes += 10)
            {
                double now = Simulate(kind, 4, 12, StageCosts.Of(1, 2, 1), new MessageCosts(0.01, bytes, 100)).Duration;
                Assert.True(now > before);
                before = now;
            }
        }
    }

    [Fact]
    public void The_critical_path_of_two_ranks_is_as_worked_out_by_hand()
    {
        var timeline = Simulate(ScheduleKind.OneForwardOneBackward, 2, 2, StageCosts.Of(1, 2, 1), MessageCosts.Free());
        Assert.Equal("0:F.0.0 1:F.0.0 1:B.0.0 1:F.0.1 1:B.0.1 0:B.0.1", string.Join(' ', timeline.CriticalPath.Select(p => $"{p.Lane}:{timeline.Lanes[p.Lane].Spans[p.Span].Name}")));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void With_free_messages_the_critical_path_is_as_long_as_the_step(MessageEnd end)
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>())
        {
            var schedule = Schedule.Create(kind, 4, 12);
            StageCosts[] stages = [.. Enumerable.Range(0, schedule.Layout.Stages).Select(s => new StageCosts(1 + 0.13 * s, 2.1 + 0.07 * s, 1.2, 0.9 + 0.11 * s))];
            var timeline = ScheduleSimulator.Simulate(schedule, new ScheduleCosts(stages, (f, b) => 2.4 + 0.17 * f + 0.05 * b, MessageCosts.Free(end)));
            var spans = timeline.CriticalPath.Select(p => timeline.Lanes[p.Lane].Spans[p.Span]).ToArray();
            Assert.Equal(timeline.Duration, spans.Sum(s => s.Duration), 1e-9);
            Assert.Equal(0, spans[0].Start);
            for (int i = 1; i < spans.Length; i++) Assert.Equal(spans[i - 1].End, spans[i].Start, 1e-9);
        }
    }

    [Fact]
    public void An_operation_that_becomes_faster_saves_as_much_as_it_has_on_the_critical_path()
    {
        // The last of four stages is slow: it works all the time between its first and its last chunk.
        var schedule = Schedule.Create(ScheduleKind.OneForwardOneBackward, 4, 12);
        Timeline With(double second) => ScheduleSimulator.Simulate(schedule, new ScheduleCosts(
            [StageCosts.Of(1, 2, 1), StageCosts.Of(second, 2 * second, second), StageCosts.Of(1, 2, 1), StageCosts.Of(2, 4, 2)], (_, _) => 3, MessageCosts.Free()));
        var timeline = With(1);
        Assert.True(timeline.CriticalPath.Count(p => p.Lane == 3) >= 20);
        Assert.Equal(2, timeline.CriticalPath.Count(p => p.Lane == 1));
        Assert.Equal(timeline.Duration - 3 * 0.2, With(0.8).Duration, 1e-9);
    }

    [Fact]
    public void Deferred_chunks_are_weighed_apart()
    {
        // Rank 1 of two runs F Bi F Bi W F Bi W W in ZB1P: never more than one whole chunk beside one deferred.
        var lane = Simulate(ScheduleKind.ZeroBubble, 2, 3, StageCosts.Of(1, 2, 1), MessageCosts.Free()).Lanes[1];
        Assert.Equal(2, lane.Activations.Peak);
        Assert.Equal(100 + 30, lane.Activations.PeakBytes(100, 30));
        Assert.Equal(0, lane.Activations.Points[^1].Chunks);
    }

    [Fact]
    public void Costs_of_another_number_of_stages_are_refused()
    {
        var schedule = Schedule.Create(ScheduleKind.DualPipeV, 4, 8);
        string message = Assert.Throws<ArgumentException>(() => ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(4, StageCosts.Of(1, 2, 1), 3))).Message;
        Assert.Contains("costs of 4 stages; the schedule has 8", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void A_schedule_without_end_is_refused(MessageEnd end)
    {
        var layout = Schedule.Create(ScheduleKind.OneForwardOneBackward, 2, 1).Layout;
        RankSchedule[] ranks =
        [
            new([new ScheduleStep([new ScheduleMessage(MessageKind.ReceiveBackward, new ChunkId(0, 0), 1)], new ScheduleOperation(OperationKind.Forward, new ChunkId(0, 0)))], []),
            new([new ScheduleStep([new ScheduleMessage(MessageKind.ReceiveForward, new ChunkId(0, 0), 0)], new ScheduleOperation(OperationKind.Forward, new ChunkId(0, 0)))], []),
        ];
        var costs = ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3, MessageCosts.Free(end));
        Assert.Contains("rank 0 never comes to its operation 0", Assert.Throws<ScheduleException>(() => ScheduleSimulator.Simulate(new Schedule(layout, 1, ranks), costs)).Message, StringComparison.Ordinal);
    }

    public static TheoryData<MessageEnd> Ends => [.. Enum.GetValues<MessageEnd>()];

    private static double[] Pairs(Timeline timeline) => [.. timeline.Lanes[0].Spans.Where(s => s.Operation!.Value.Kind == OperationKind.ForwardAndBackward).Select(s => s.Start)];

    private static Timeline Simulate(ScheduleKind kind, int ranks, int microBatches, StageCosts costs, MessageCosts message)
    {
        var schedule = Schedule.Create(kind, ranks, microBatches);
        return ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(schedule.Layout.Stages, costs, 3, message));
    }

    private static string Text(TimelineLane lane) => string.Join("; ", lane.Spans.Select(s => FormattableString.Invariant($"{s.Name} [{s.Start:0.######}, {s.End:0.######}]")));
}
