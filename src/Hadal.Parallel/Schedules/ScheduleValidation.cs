namespace Hadal.Parallel.Schedules;

/// <summary>Proof that a schedule computes every chunk once and in order, that its messages fit together, and that it ends.</summary>
public static class ScheduleValidation
{
    /// <summary>Checks a schedule of any origin.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <exception cref="ScheduleException">The first thing found that is wrong with it: where, and what would be right.</exception>
    public static void Validate(Schedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        for (int r = 0; r < schedule.Ranks.Count; r++) new RankCheck(schedule, r).Run();
        CheckOrderBetweenRanks(schedule);
        RendezvousCheck.Run(schedule);
    }

    /// <summary>Between two ranks, the messages are received in the order in which they are sent.</summary>
    private static void CheckOrderBetweenRanks(Schedule schedule)
    {
        int ranks = schedule.Ranks.Count;
        var sent = new List<ScheduleMessage>[ranks, ranks];
        var received = new List<ScheduleMessage>[ranks, ranks];
        for (int from = 0; from < ranks; from++)
            for (int to = 0; to < ranks; to++) (sent[from, to], received[from, to]) = ([], []);
        for (int r = 0; r < ranks; r++)
        {
            foreach (var m in schedule.Ranks[r].Steps.SelectMany(s => s.MessagesBefore).Concat(schedule.Ranks[r].MessagesAfter))
            {
                if (m.Peer < 0 || m.Peer >= ranks || m.Peer == r) throw new ScheduleException($"Rank {r} has the message {m}, but there is no such other rank: ranks are 0 to {ranks - 1}.");
                if (m.IsSend) sent[r, m.Peer].Add(m.SeenBy(r));
                else received[m.Peer, r].Add(m);
            }
        }

        for (int from = 0; from < ranks; from++)
        {
            for (int to = 0; to < ranks; to++)
            {
                var (s, e) = (sent[from, to], received[from, to]);
                for (int i = 0; i < Math.Max(s.Count, e.Count); i++)
                {
                    if (i < s.Count && i < e.Count && s[i] == e[i]) continue;
                    string arrives = i < s.Count ? $"{s[i].SeenBy(to)}" : "nothing", awaited = i < e.Count ? $"{e[i]}" : "nothing";
                    throw new ScheduleException($"Message {i} from rank {from} to rank {to} is sent as {arrives} but awaited as {awaited}; both must name the same chunk.");
                }
            }
        }
    }
}
