using CsCheck;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Tests.Simulation;

/// <summary>Bubbles and activations as in table 2 of the report, from the schedules themselves, for 2 to 32 ranks, however sends end.</summary>
public class PublishedFormulaTests
{
    public static TheoryData<MessageEnd> Ends => [.. Enum.GetValues<MessageEnd>()];

    [Theory]
    [MemberData(nameof(Ends))]
    public void The_bubble_of_1F1B_is_P_minus_1_times_F_plus_B_on_every_rank_whatever_F_B_and_W_are(MessageEnd end)
    {
        foreach (var costs in (StageCosts[])[StageCosts.Of(1, 2, 1), StageCosts.Of(1.13, 1.99, 0.48), StageCosts.Of(3, 1, 0.25)])
        {
            ForEach(ScheduleKind.OneForwardOneBackward, end, costs, 0, (ranks, n, timeline) =>
            {
                for (int r = 0; r < ranks; r++)
                {
                    Assert.Equal((ranks - 1) * (costs.Forward + costs.Backward), timeline.Bubble(r), 1e-9);
                    Assert.Equal(Math.Min(ranks - r, n), timeline.Lanes[r].Activations.Peak);
                }
            });
        }
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void The_bubble_of_ZB1P_is_P_minus_1_times_F_plus_B_minus_2W_on_every_rank_where_W_is_at_most_F_and_at_most_the_backward_for_inputs(MessageEnd end)
    {
        foreach (var costs in (StageCosts[])[StageCosts.Of(1, 2, 1), StageCosts.Of(1.13, 1.99, 0.48), StageCosts.Of(1, 3, 1), StageCosts.Of(2, 3, 1)])
        {
            ForEach(ScheduleKind.ZeroBubble, end, costs, 0, (ranks, n, timeline) =>
            {
                for (int r = 0; r < ranks; r++)
                {
                    // With few micro-batches there are too few weight gradients to fill the waits.
                    if (n >= 2 * ranks) Assert.Equal((ranks - 1) * (costs.Forward + costs.Backward - 2 * costs.WeightGradient), timeline.Bubble(r), 1e-9);
                    if (n >= ranks) Assert.Equal(ranks, timeline.Lanes[r].Activations.Peak);
                    else Assert.Equal(n, timeline.Lanes[r].Activations.Peak);
                }
            });
        }
    }

    /// <summary>
    /// The published formula is the bubble of the two middle ranks. Ranks nearer the ends overlap fewer pairs and have their bubble filled by the longer operations; all ranks agree where
    /// a pair takes as long as its parts.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ends))]
    public void The_bubble_of_DualPipe_is_half_P_minus_1_times_FB_plus_B_minus_3W_where_F_is_W_is_half_of_B(MessageEnd end)
    {
        foreach (double pair in (double[])[3, 2.75, 2.5, 2.2])
        {
            ForEach(ScheduleKind.DualPipe, end, StageCosts.Of(1, 2, 1), pair, (ranks, _, timeline) =>
            {
                double bubble = (ranks / 2 - 1) * (pair + 2 - 3);
                Assert.Equal(bubble, timeline.Bubble(ranks / 2 - 1), 1e-9);
                Assert.Equal(bubble, timeline.Bubble(ranks / 2), 1e-9);
                Assert.All(Enumerable.Range(0, ranks), r => Assert.True(pair == 3 ? Math.Abs(timeline.Bubble(r) - bubble) < 1e-9 : timeline.Bubble(r) < bubble + 1e-9));
            });
        }
    }

    [Fact]
    public void Elsewhere_the_bubble_of_DualPipe_is_near_the_formula_but_not_on_it()
    {
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 8, 24);
        var timeline = ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(8, StageCosts.Of(1, 3, 1), 4));

        // (8 / 2 − 1)(4 + 3 − 3) would be 12.
        Assert.All(Enumerable.Range(0, 8), r => Assert.Equal(11, timeline.Bubble(r), 1e-9));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void The_bubble_of_DualPipeV_is_that_of_DualPipe_on_twice_the_ranks(MessageEnd end)
    {
        foreach (double pair in (double[])[3, 2.75, 2.5, 2.2])
        {
            // Table 2 counts stages as P; there are P / 2 ranks.
            ForEach(ScheduleKind.DualPipeV, end, StageCosts.Of(1, 2, 1), pair, (ranks, _, timeline) => Assert.Equal((ranks - 1) * (pair + 2 - 3), timeline.Bubble(ranks - 1), 1e-9));
        }
    }

    [Fact]
    public void DualPipe_keeps_the_activations_of_P_plus_1_chunks_on_every_rank() => ForEach(ScheduleKind.DualPipe, MessageEnd.Rendezvous, StageCosts.Of(1, 2, 1), 3, (ranks, _, timeline) =>
        Assert.All(timeline.Lanes, lane => Assert.Equal(ranks + 1, lane.Activations.Peak)));

    [Fact]
    public void DualPipeV_keeps_the_activations_of_one_chunk_more_than_it_has_stages() =>
        ForEach(ScheduleKind.DualPipeV, MessageEnd.Rendezvous, StageCosts.Of(1, 2, 1), 3, (ranks, _, timeline) => Assert.All(timeline.Lanes, lane => Assert.Equal(2 * ranks + 1, lane.Activations.Peak)));

    [Fact]
    public void Neither_bubble_nor_activations_grow_with_the_micro_batches() => Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Int[1, 8], Gen.Int[0, 40]).Sample(
        (kind, half, more) =>
        {
            int ranks = 2 * half;
            var (few, many) = (Simulate(kind, ranks, 2 * ranks), Simulate(kind, ranks, 2 * ranks + 2 * more));
            for (int r = 0; r < ranks; r++)
            {
                Assert.Equal(few.Bubble(r), many.Bubble(r), 1e-9);
                Assert.Equal(few.Lanes[r].Activations.Peak, many.Lanes[r].Activations.Peak);
            }
        },
        iter: 60, threads: 1, seed: "0002Schedule");

    private static Timeline Simulate(ScheduleKind kind, int ranks, int n)
    {
        var schedule = Schedule.Create(kind, ranks, n);
        return ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(schedule.Layout.Stages, StageCosts.Of(1, 2, 1), 3));
    }

    private static void ForEach(ScheduleKind kind, MessageEnd end, StageCosts costs, double pair, Action<int, int, Timeline> check)
    {
        for (int ranks = 2; ranks <= 32; ranks += kind == ScheduleKind.DualPipe ? 2 : 1)
        {
            foreach (int n in (int[])[ranks, 2 * ranks, 2 * ranks + 4, 5 * ranks])
            {
                if (n < 2 * ranks && (kind is ScheduleKind.DualPipe or ScheduleKind.DualPipeV)) continue;
                var schedule = Schedule.Create(kind, ranks, n);
                check(ranks, n, ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(schedule.Layout.Stages, costs, pair, MessageCosts.Free(end))));
            }
        }
    }
}
