using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Tests.Schedules;

/// <summary>Every kind of damage to a schedule is found.</summary>
public class ScheduleValidationTests
{
    private static readonly ChunkId _first = new(0, 0), _second = new(0, 1);

    [Fact]
    public void A_chunk_that_is_missing_is_found() => Fails(0, steps => steps.RemoveAt(steps.Count - 1), "backwards in direction 0; there must be 4");

    [Fact]
    public void A_chunk_that_runs_twice_is_found() => Fails(0, steps => steps.Insert(1, steps[0]), "where micro-batch 1 of direction 0 is next");

    [Fact]
    public void A_backward_before_its_forward_is_found() => Fails(1, steps => steps.Insert(0, new ScheduleStep([], new ScheduleOperation(OperationKind.Backward, _first))), "before the forward of 0.0 has ended");

    [Fact]
    public void An_operation_without_its_input_is_found() => Fails(1, steps => steps[0] = steps[0] with { MessagesBefore = [] }, "before it has the input of 0.0 from rank 0");

    [Fact]
    public void A_send_before_its_output_is_found() =>
        Fails(0, steps => steps[0] = steps[0] with { MessagesBefore = [new ScheduleMessage(MessageKind.SendForward, _first, 1)] }, "before that chunk is computed");

    [Fact]
    public void A_message_to_a_rank_that_is_no_neighbour_is_found() =>
        Fails(0, steps => steps[1] = steps[1] with { MessagesBefore = [new ScheduleMessage(MessageKind.SendForward, _first, 2)] }, "neighbour is rank 1");

    [Fact]
    public void A_message_that_is_sent_twice_is_found() =>
        Fails(0, steps => steps[1] = steps[1] with { MessagesBefore = [.. steps[1].MessagesBefore, .. steps[1].MessagesBefore] }, "where micro-batch 1 of direction 0 is next");

    [Fact]
    public void A_weight_gradient_out_of_turn_is_found()
    {
        var schedule = Schedule.Create(ScheduleKind.ZeroBubble, 3, 4);
        int at = schedule.Ranks[2].Steps.Select((s, i) => (s, i)).First(p => p.s.Operation.Kind == OperationKind.WeightGradient).i;
        var changed = Change(schedule, 2, steps => steps[at] = steps[at] with { Operation = new ScheduleOperation(OperationKind.WeightGradient, _second) });
        Assert.Contains("first in, first out", Assert.Throws<ScheduleException>(() => ScheduleValidation.Validate(changed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_that_cross_are_found()
    {
        // Rank 0 sends its two first outputs together in the wrong order of their receives: rank 1 awaits a message that never comes in that place.
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 4, 8);
        var changed = Change(schedule, 0, steps =>
        {
            int at = steps.FindIndex(s => s.MessagesBefore.Count(m => m.IsSend) == 2);
            steps[at] = steps[at] with { MessagesBefore = [.. steps[at].MessagesBefore.Reverse()] };
        });
        Assert.Contains("both must name the same chunk", Assert.Throws<ScheduleException>(() => ScheduleValidation.Validate(changed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_deadlock_is_found()
    {
        // Both ranks send first and receive afterwards: with sends that end only when they are received, neither gets on.
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 2, 4);
        Schedule changed = schedule;
        for (int r = 0; r < 2; r++)
        {
            changed = Change(changed, r, steps =>
            {
                int at = steps.FindIndex(s => s.MessagesBefore.Count == 2);
                var both = steps[at].MessagesBefore;
                steps[at] = steps[at] with { MessagesBefore = [both[1]] };
                steps[at - 1] = steps[at - 1] with { MessagesBefore = [] };
                int next = at + 1;
                steps[next] = steps[next] with { MessagesBefore = [both[0], .. steps[next].MessagesBefore] };
            });
        }

        Assert.Contains("stops for ever: rank 0 waits for RF.1.0@1", Assert.Throws<ScheduleException>(() => ScheduleValidation.Validate(changed)).Message, StringComparison.Ordinal);
    }

    private static void Fails(int rank, Action<List<ScheduleStep>> change, string part)
    {
        var schedule = Schedule.Create(ScheduleKind.OneForwardOneBackward, 3, 4);
        Assert.Contains(part, Assert.Throws<ScheduleException>(() => ScheduleValidation.Validate(Change(schedule, rank, change))).Message, StringComparison.Ordinal);
    }

    private static Schedule Change(Schedule schedule, int rank, Action<List<ScheduleStep>> change)
    {
        List<ScheduleStep> steps = [.. schedule.Ranks[rank].Steps];
        change(steps);
        RankSchedule[] ranks = [.. schedule.Ranks];
        ranks[rank] = new RankSchedule(steps, ranks[rank].MessagesAfter);
        return new Schedule(schedule.Layout, schedule.MicroBatches, ranks);
    }
}
