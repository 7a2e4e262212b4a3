namespace Hadal.Parallel.Schedules;

/// <summary>Which numbers of ranks and micro-batches each kind of schedule allows.</summary>
internal static class ScheduleRules
{
    public static void Check(ScheduleKind kind, int ranks, int microBatches)
    {
        if (!Enum.IsDefined(kind)) throw new ScheduleException($"{(int)kind} is no kind of schedule; the schedules are {string.Join(", ", ScheduleNames.All)}.");
        if (ranks is < 1 or > Schedule.MostRanks) throw new ScheduleException($"A pipeline has 1 to {Schedule.MostRanks} ranks, not {ranks}.");
        if (microBatches is < 1 or > Schedule.MostMicroBatches) throw new ScheduleException($"A step has 1 to {Schedule.MostMicroBatches} micro-batches, not {microBatches}.");
        if ((long)ranks * microBatches > Schedule.MostChunks)
            throw new ScheduleException($"A schedule has at most {Schedule.MostChunks} chunks; {ranks} ranks times {microBatches} micro-batches are {(long)ranks * microBatches}.");
        if (kind == ScheduleKind.DualPipe && ranks % 2 != 0)
            throw new ScheduleException($"DualPipe needs an even number of ranks, because ranks r and P − 1 − r hold the same two stages; {ranks} is odd, {ranks + 1} would do.");
        if (kind == ScheduleKind.DualPipe && microBatches % 2 != 0)
            throw new ScheduleException($"DualPipe needs an even number of micro-batches, because half of them enter at each end; {microBatches} is odd, {microBatches + 1} would do.");
        if (kind is ScheduleKind.DualPipe or ScheduleKind.DualPipeV && microBatches < 2 * ranks)
            throw new ScheduleException($"{kind.Title()} needs at least two micro-batches for each rank to fill the pipeline: with {ranks} ranks at least {2 * ranks}, not {microBatches}.");
    }
}
