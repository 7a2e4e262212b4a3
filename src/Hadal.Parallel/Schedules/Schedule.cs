namespace Hadal.Parallel.Schedules;

/// <summary>A pipeline schedule as data: for every rank the operations in order, and before each the messages that are begun together and awaited together.</summary>
/// <remarks>
/// Whoever executes it walks <see cref="RankSchedule.Steps"/>: begins all messages of a step in their order, waits for all of them, computes. Outputs stay until their send is
/// awaited. Between two ranks, messages arrive in the order in which they are sent, and every receive names the message that comes next. It is free of deadlock even if a send ends
/// only when its receive has begun (<see cref="ScheduleValidation"/> proves both).
/// </remarks>
public sealed class Schedule
{
    /// <summary>The most ranks that a schedule is made for.</summary>
    public const int MostRanks = 1024;

    /// <summary>The most micro-batches that a schedule is made for.</summary>
    public const int MostMicroBatches = 65536;

    /// <summary>The most ranks times micro-batches: far above any real step, and little enough to hold in memory.</summary>
    public const int MostChunks = 1 << 20;

    internal Schedule(StageLayout layout, int microBatches, IReadOnlyList<RankSchedule> ranks) => (Layout, MicroBatches, Ranks) = (layout, microBatches, ranks);

    /// <summary>The kind.</summary>
    public ScheduleKind Kind => Layout.Kind;

    /// <summary>Which stage lies where.</summary>
    public StageLayout Layout { get; }

    /// <summary>Micro-batches of a step, n.</summary>
    public int MicroBatches { get; }

    /// <summary>Micro-batches that a rank sees in one direction: n / 2 in DualPipe, otherwise n.</summary>
    public int MicroBatchesPerDirection => MicroBatches / Layout.Copies;

    /// <summary>[P]: what each rank does.</summary>
    public IReadOnlyList<RankSchedule> Ranks { get; }

    /// <summary>Makes a schedule.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="ranks">Ranks of the pipeline, P.</param>
    /// <param name="microBatches">Micro-batches of a step, n.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ScheduleException">The kind does not allow these numbers.</exception>
    public static Schedule Create(ScheduleKind kind, int ranks, int microBatches)
    {
        ScheduleRules.Check(kind, ranks, microBatches);
        var layout = new StageLayout(kind, ranks);
        var all = new RankSchedule[ranks];
        for (int r = 0; r < ranks; r++)
        {
            var writer = new RankWriter(layout, r, microBatches);
            switch (kind)
            {
                case ScheduleKind.OneForwardOneBackward: ChainSteps.WriteOneForwardOneBackward(writer, ranks, r, microBatches); break;
                case ScheduleKind.ZeroBubble: ChainSteps.WriteZeroBubble(writer, ranks, r, microBatches); break;
                case ScheduleKind.DualPipe: BidirectionalSteps.OfDualPipe(ranks, r, microBatches).Write(writer, firstDirection: r < ranks / 2 ? 0 : 1); break;
                case ScheduleKind.DualPipeV: BidirectionalSteps.OfDualPipeV(ranks, r, microBatches).Write(writer, firstDirection: 0); break;
            }

            all[r] = writer.End();
        }

        return new Schedule(layout, microBatches, all);
    }

    /// <summary>Which of a step's micro-batches a chunk is of.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <returns>
    /// 0 to n − 1. DualPipe: the first half of the micro-batches goes in direction 0, the second half in direction 1. DualPipeV: both passes are of the same micro-batch.
    /// </returns>
    public int MicroBatchOf(ChunkId chunk) => Kind == ScheduleKind.DualPipe ? chunk.Direction * MicroBatchesPerDirection + chunk.MicroBatch : chunk.MicroBatch;
}
