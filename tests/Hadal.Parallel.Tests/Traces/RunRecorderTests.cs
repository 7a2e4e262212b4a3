using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Tests.Communication;
using Hadal.Parallel.Tests.Training;
using Hadal.Parallel.Timelines;
using Hadal.Parallel.Traces;
using Hadal.Parallel.Training;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Traces;

/// <summary>A recorded step of a run over four ranks.</summary>
public class RunRecorderTests
{
    private const int Experts = 2;

    [Fact]
    public void Every_rank_has_the_operations_of_its_schedule_with_their_parts_and_waits()
    {
        var timeline = Record(world => world);
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 2, 8);
        Assert.Equal("DualPipe, pipeline 2, experts 2, data 1, recorded", timeline.Title);
        Assert.Equal(0, timeline.Lanes.SelectMany(l => l.Spans).Min(s => s.Start));
        for (int r = 0; r < 4; r++)
        {
            TimelineSpan[] operations = Spans(timeline, $"rank {r}"), parts = Spans(timeline, $"rank {r}: parts"), waits = Spans(timeline, $"rank {r}: waiting");
            Assert.Equal(schedule.Ranks[r / Experts].OperationText, string.Join(' ', operations.Select(o => o.Operation)));

            // A part is part of one operation, one after the other; a wait for rows is inside one too, a wait for messages between two.
            Assert.All(parts, p => Assert.Single(operations, o => o.Start <= p.Start && p.End <= o.End));
            Assert.All(parts.Zip(parts.Skip(1)), p => Assert.True(p.First.End <= p.Second.Start));
            Assert.All(waits.Where(IsForRows), w => Assert.Single(operations, o => o.Start <= w.Start && w.End <= o.End));
            Assert.All(waits.Where(w => !IsForRows(w)), w => Assert.DoesNotContain(operations, o => o.Start < w.End && w.Start < o.End));
            Assert.All(operations, o => Assert.Contains(parts, p => o.Start <= p.Start && p.End <= o.End));

            // Eight micro-batches, each on two stages of four or five expert layers in all (the first layer is dense), forward and backward: one of four carriages after the other.
            var carriages = Spans(timeline, $"rank {r}: rows under way");
            Assert.Equal(8 / 2 * 8 * 4, carriages.Length);
            Assert.Equal(carriages.Length, waits.Count(IsForRows));
            Assert.All(carriages.GroupBy(c => c.Name), g => Assert.Equal(carriages.Length / 4, g.Count()));
        }
    }

    [Fact]
    public void Ranks_have_one_clock()
    {
        // What a rank received had been computed before.
        var timeline = Record(world => world);
        int seen = 0;
        for (int r = 0; r < 4; r++)
        {
            foreach (var wait in Spans(timeline, $"rank {r}: waiting").Where(w => !IsForRows(w)))
            {
                foreach (string message in wait.Name.Split(' ')[1..].Where(m => m[0] == 'R'))
                {
                    bool isForward = message[1] == 'F';
                    string[] parts = message.Split('.', '@');
                    var chunk = new ChunkId(int.Parse(parts[1], null), int.Parse(parts[2], null));
                    var source = Spans(timeline, $"rank {int.Parse(parts[3], null) * Experts + r % Experts}").Single(o => (isForward ? o.Operation!.Value.Forward : o.Operation!.Value.Backward) == chunk);
                    Assert.True(source.End <= wait.End, $"Rank {r} has {message} at {wait.End}, before {source.Name} ended at {source.End}.");
                    seen++;
                }
            }
        }

        Assert.Equal(4 * 8, seen);
    }

    [Fact]
    public void Rows_of_one_chunk_are_under_way_while_the_other_is_computed()
    {
        using var folder = new TemporaryFolder();
        var timeline = Record(world => new SlowedCollective(world, TimeSpan.FromMilliseconds(2)), folder.File("trace.json"));
        for (int r = 0; r < 4; r++)
        {
            TimelineSpan[] parts = Spans(timeline, $"rank {r}: parts"), carriages = Spans(timeline, $"rank {r}: rows under way");
            var pairs = Spans(timeline, $"rank {r}").Where(o => o.Operation!.Value.Kind == OperationKind.ForwardAndBackward).ToArray();
            Assert.True(pairs.Length > 2);

            // Parts that wait for nothing: attention of the chunk that goes forward beside gradients of the other; weights of the latter beside rows of the former.
            Assert.Contains(pairs, pair => Beside(pair, p => p.StartsWith("attention, ", StringComparison.Ordinal), c => c.EndsWith("of gradients", StringComparison.Ordinal)));
            Assert.Contains(pairs, pair => Beside(pair, p => p.Contains(" weights, ", StringComparison.Ordinal), c => !c.EndsWith("of gradients", StringComparison.Ordinal)));

            bool Beside(TimelineSpan pair, Func<string, bool> isPart, Func<string, bool> isCarriage) =>
                Inside(parts, pair).Where(p => isPart(p.Name)).Any(p => Inside(carriages, pair).Any(c => isCarriage(c.Name) && p.Start < c.End && c.Start < p.End));
        }

        Assert.InRange(timeline.Figures["hidden_fraction_in_pairs"], 1e-6, 1);
        Assert.InRange(timeline.Figures["hidden_fraction"], 1e-6, 1);

        // Three exchanges for a dispatch, one for a combine and for gradients on their way, two for gradients on their way back: at least that long.
        Assert.True(timeline.Figures["rows_under_way_seconds"] > 4 * 8 / 2 * 8 * (3 + 1 + 1 + 2) * 0.002);
        Assert.Equal(timeline.Figures, ChromeTrace.Read(folder.File("trace.json")).Figures);
    }

    private static bool IsForRows(TimelineSpan wait) => wait.Name.StartsWith("rows: ", StringComparison.Ordinal);

    private static IEnumerable<TimelineSpan> Inside(TimelineSpan[] spans, TimelineSpan operation) => spans.Where(s => operation.Start <= s.Start && s.End <= operation.End);

    private static TimelineSpan[] Spans(Timeline timeline, string lane) => [.. timeline.Lanes.Single(l => l.Name == lane).Spans];

    // The second step, in which memory and code are there; losses are those of a run that nobody records.
    private static Timeline Record(Func<ICollective, ICollective> network, string? path = null)
    {
        var run = SmallRun.Of(new ParallelSettings { Schedule = "dualpipe", Pipeline = 2, Experts = Experts });
        Timeline? recorded = null;
        var losses = new double[4];
        BoundedRanks.Run(4, world =>
        {
            using var backend = new CpuBackend(1);
            var engine = new ParallelEngine(run, SmallRun.Config, backend, network(world));
            using var trainer = new Trainer(run, SmallRun.Config, new Counting(SmallRun.Config.VocabularySize), () => engine, _ => throw new InvalidOperationException("This run has no average."));
            trainer.Step(1);
            var recorder = new RunRecorder(engine, backend);
            var timeline = recorder.Record(() => losses[world.Rank] = trainer.Step(2).Loss);
            Assert.Equal(world.Rank == 0, timeline is not null);
            Assert.Null(engine.Executor.Observer);
            recorded ??= timeline;
        });
        var plain = SmallRun.Train(run, 2);
        Assert.All(losses, l => Assert.Equal(plain.Metrics[1].Loss, l));
        if (path is null) return recorded!;
        using var file = File.Create(path);
        ChromeTrace.Write(recorded!, file);
        return recorded!;
    }
}
