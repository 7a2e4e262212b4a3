namespace Hadal.Parallel.Schedules;

/// <summary>Checks that all ranks come to their end if every message ends only when both of its ranks have begun it.</summary>
internal static class RendezvousCheck
{
    public static void Run(Schedule schedule)
    {
        int ranks = schedule.Ranks.Count;
        var position = new int[ranks];

        // The messages of a rank's next step that have not met their other side yet, as the other side names them.
        var open = new HashSet<ScheduleMessage>[ranks];
        for (int r = 0; r < ranks; r++) open[r] = [.. Batch(schedule, r, 0)];
        for (bool moved = true; moved;)
        {
            moved = false;
            for (int r = 0; r < ranks; r++)
            {
                foreach (var message in open[r])
                {
                    if (!open[message.Peer].Remove(message.SeenBy(r))) continue;
                    open[r].Remove(message);
                    moved = true;
                }

                while (open[r].Count == 0 && position[r] <= schedule.Ranks[r].Steps.Count)
                {
                    position[r]++;
                    open[r] = [.. Batch(schedule, r, position[r])];
                    moved = true;
                }
            }
        }

        for (int r = 0; r < ranks; r++)
        {
            if (position[r] <= schedule.Ranks[r].Steps.Count)
                throw new ScheduleException($"The schedule stops for ever: rank {r} waits for {open[r].First()} before its operation {position[r]}, and no rank can go on.");
        }
    }

    private static IReadOnlyList<ScheduleMessage> Batch(Schedule schedule, int rank, int position)
    {
        var mine = schedule.Ranks[rank];
        return position < mine.Steps.Count ? mine.Steps[position].MessagesBefore : position == mine.Steps.Count ? mine.MessagesAfter : [];
    }
}
