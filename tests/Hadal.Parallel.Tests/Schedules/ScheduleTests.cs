using CsCheck;
using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Tests.Schedules;

public class ScheduleTests
{
    public static TheoryData<ScheduleKind> Kinds => [.. Enum.GetValues<ScheduleKind>()];

    /// <summary>Micro-batches to try for a number of ranks: the fewest that are allowed, a few more, and many.</summary>
    public static IEnumerable<int> MicroBatches(ScheduleKind kind, int ranks) => kind switch
    {
        ScheduleKind.DualPipe => [2 * ranks, 2 * ranks + 2, 2 * ranks + 6, 3 * ranks, 4 * ranks],
        ScheduleKind.DualPipeV => [2 * ranks, 2 * ranks + 1, 2 * ranks + 5, 3 * ranks, 4 * ranks + 1],
        _ => [1, 2, ranks - 1, ranks, ranks + 1, 2 * ranks + 3, 4 * ranks],
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_schedule_of_2_to_32_ranks_is_complete_and_ends(ScheduleKind kind)
    {
        for (int ranks = 2; ranks <= 32; ranks++)
        {
            if (kind == ScheduleKind.DualPipe && ranks % 2 != 0) continue;
            foreach (int n in MicroBatches(kind, ranks)) ScheduleValidation.Validate(Schedule.Create(kind, ranks, n));
        }
    }

    [Fact]
    public void Any_schedule_that_is_allowed_is_complete_and_ends() => Gen.Select(Gen.Enum<ScheduleKind>(), Gen.Int[1, 24], Gen.Int[1, 120]).Sample(
        (kind, ranks, n) =>
        {
            bool even = ranks % 2 == 0 && n % 2 == 0, filled = n >= 2 * ranks;
            bool allowed = kind switch { ScheduleKind.DualPipe => even && filled, ScheduleKind.DualPipeV => filled, _ => true };
            if (allowed) ScheduleValidation.Validate(Schedule.Create(kind, ranks, n));
            else Assert.Throws<ScheduleException>(() => Schedule.Create(kind, ranks, n));
        },
        iter: 400, threads: 1, seed: "0001Schedule");

    [Theory]
    [InlineData(ScheduleKind.DualPipe, 3, 12, "even number of ranks")]
    [InlineData(ScheduleKind.DualPipe, 4, 9, "even number of micro-batches")]
    [InlineData(ScheduleKind.DualPipe, 4, 6, "at least 8, not 6")]
    [InlineData(ScheduleKind.DualPipeV, 4, 7, "at least 8, not 7")]
    [InlineData(ScheduleKind.OneForwardOneBackward, 0, 4, "1 to 1024 ranks")]
    [InlineData(ScheduleKind.ZeroBubble, 4, 0, "1 to 65536 micro-batches")]
    [InlineData(ScheduleKind.ZeroBubble, 4, 1_000_000, "not 1000000")]
    [InlineData(ScheduleKind.OneForwardOneBackward, 1024, 1025, "are 1049600")]
    [InlineData((ScheduleKind)9, 4, 4, "1f1b, zb1p, dualpipe, dualpipev")]
    public void What_a_schedule_does_not_allow_is_said_with_the_rule(ScheduleKind kind, int ranks, int microBatches, string part) =>
        Assert.Contains(part, Assert.Throws<ScheduleException>(() => Schedule.Create(kind, ranks, microBatches)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(8, 20, 0, new[] { 6, 1, 3, 3, 3, 1, 3, 1 })]
    [InlineData(8, 20, 1, new[] { 4, 2, 2, 4, 2, 2, 2, 2 })]
    [InlineData(8, 20, 2, new[] { 2, 3, 1, 5, 1, 3, 1, 3 })]
    [InlineData(8, 20, 3, new[] { 0, 4, 0, 6, 0, 4, 0, 4 })]
    [InlineData(8, 20, 4, new[] { 0, 4, 0, 6, 0, 4, 0, 4 })]
    [InlineData(8, 20, 7, new[] { 6, 1, 3, 3, 3, 1, 3, 1 })]
    [InlineData(16, 120, 0, new[] { 14, 1, 7, 45, 7, 1, 7, 1 })]
    [InlineData(16, 120, 7, new[] { 0, 8, 0, 52, 0, 8, 0, 8 })]
    public void The_eight_steps_are_repeated_as_published(int ranks, int microBatches, int rank, int[] repeats) =>
        Assert.Equal(repeats, BidirectionalSteps.OfDualPipe(ranks, rank, microBatches).Repeats);

    [Theory]
    [InlineData(8, 20, new[] { 9, 10, 11, 11 })]
    [InlineData(16, 120, new[] { 97, 98, 99, 100, 101, 102, 103, 103 })]
    public void As_many_pairs_overlap_as_published(int ranks, int microBatches, int[] pairs)
    {
        var counts = Schedule.Create(ScheduleKind.DualPipe, ranks, microBatches).Ranks.Select(r => r.Steps.Count(s => s.Operation.Kind == OperationKind.ForwardAndBackward));
        Assert.Equal(pairs.Concat(pairs.Reverse()), counts);
    }

    [Fact]
    public void Ranks_of_DualPipe_mirror_each_other()
    {
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 8, 20);
        for (int r = 0; r < 4; r++)
        {
            var turned = schedule.Ranks[7 - r].Steps.Select(s => s.Operation with
            {
                Chunk = s.Operation.Chunk with { Direction = 1 - s.Operation.Chunk.Direction },
                Other = s.Operation.Other with { Direction = 1 - s.Operation.Other.Direction },
            });
            Assert.Equal(schedule.Ranks[r].Steps.Select(s => s.Operation), turned);
        }
    }

    [Fact]
    public void Stages_lie_where_the_report_says()
    {
        var chain = Schedule.Create(ScheduleKind.OneForwardOneBackward, 4, 8).Layout;
        Assert.Equal((4, 1, 1), (chain.Stages, chain.Directions, chain.Copies));
        Assert.Equal(2, chain.Stage(2, 0));

        var dual = Schedule.Create(ScheduleKind.DualPipe, 4, 8).Layout;
        Assert.Equal((4, 2, 2), (dual.Stages, dual.Directions, dual.Copies));
        Assert.Equal((1, 2), (dual.Stage(1, 0), dual.Stage(1, 1)));
        Assert.Equal(new SchedulePlace(0, 1), dual.After(new SchedulePlace(1, 1)));
        Assert.Null(dual.After(new SchedulePlace(0, 1)));
        Assert.Null(dual.Before(new SchedulePlace(3, 1)));

        var folded = Schedule.Create(ScheduleKind.DualPipeV, 4, 8).Layout;
        Assert.Equal((8, 2, 1), (folded.Stages, folded.Directions, folded.Copies));
        Assert.Equal((1, 6), (folded.Stage(1, 0), folded.Stage(1, 1)));
        Assert.Equal(new SchedulePlace(3, 1), folded.After(new SchedulePlace(3, 0)));
        Assert.Equal(new SchedulePlace(3, 0), folded.Before(new SchedulePlace(3, 1)));
        Assert.Null(folded.After(new SchedulePlace(0, 1)));
    }

    [Fact]
    public void Every_micro_batch_passes_through_every_stage_once()
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>())
        {
            var schedule = Schedule.Create(kind, 4, 10);
            var seen = schedule.Ranks.SelectMany((steps, r) => steps.Steps.Select(s => s.Operation.Forward).OfType<ChunkId>()
                .Select(c => (Stage: schedule.Layout.Stage(r, c.Direction), MicroBatch: schedule.MicroBatchOf(c)))).ToArray();
            Assert.Equal(schedule.Layout.Stages * 10, seen.Length);
            Assert.Equal(seen.Length, seen.Distinct().Count());
            Assert.All(seen, s => Assert.InRange(s.MicroBatch, 0, 9));
        }
    }

    [Fact]
    public void OneForwardOneBackward_is_the_known_order()
    {
        var schedule = Schedule.Create(ScheduleKind.OneForwardOneBackward, 3, 4);
        Assert.Equal(
            [
                "F.0.0 [SF.0.0@1] F.0.1 [SF.0.1@1] F.0.2 [SF.0.2@1,RB.0.0@1] B.0.0 F.0.3 [SF.0.3@1,RB.0.1@1] B.0.1 [RB.0.2@1] B.0.2 [RB.0.3@1] B.0.3",
                "[RF.0.0@0] F.0.0 [SF.0.0@2,RF.0.1@0] F.0.1 [SF.0.1@2,RB.0.0@2] B.0.0 [SB.0.0@0,RF.0.2@0] F.0.2 [SF.0.2@2,RB.0.1@2] B.0.1 [SB.0.1@0,RF.0.3@0] F.0.3 [SF.0.3@2,RB.0.2@2] B.0.2 [SB.0.2@0,RB.0.3@2] B.0.3 [SB.0.3@0]",
                "[RF.0.0@1] F.0.0 B.0.0 [SB.0.0@1,RF.0.1@1] F.0.1 B.0.1 [SB.0.1@1,RF.0.2@1] F.0.2 B.0.2 [SB.0.2@1,RF.0.3@1] F.0.3 B.0.3 [SB.0.3@1]",
            ],
            schedule.Ranks.Select(r => r.ToString()));
    }

    [Fact]
    public void Names_are_read_and_written()
    {
        foreach (var kind in Enum.GetValues<ScheduleKind>()) Assert.Equal(kind, ScheduleNames.Parse(kind.Name().ToUpperInvariant()));
        Assert.Contains("gpipe", Assert.Throws<ScheduleException>(() => ScheduleNames.Parse("gpipe")).Message, StringComparison.Ordinal);
    }
}
