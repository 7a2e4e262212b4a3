using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Traces;

/// <summary>How much of the time in which rows were under way a rank computed, in ticks.</summary>
/// <param name="Carried">Σ of all carriages of the rank.</param>
/// <param name="Hidden">Of these, while the rank computed: inside an operation and not waiting for rows.</param>
/// <param name="CarriedInPairs">As far as overlapped forwards and backwards reach.</param>
/// <param name="HiddenInPairs">Of these, while the rank computed.</param>
internal readonly record struct CarriageOverlap(long Carried, long Hidden, long CarriedInPairs, long HiddenInPairs)
{
    public static CarriageOverlap Of(StepEvents events)
    {
        var sum = default(CarriageOverlap);
        int operation = 0, wait = 0;
        foreach (var carriage in events.Carriages)
        {
            // All three lists are in the order of time, and what they hold does not overlap itself.
            while (operation < events.Operations.Count && events.Operations[operation].Ended <= carriage.Started) operation++;
            while (wait < events.Awaited.Count && events.Awaited[wait].Ended <= carriage.Started) wait++;
            long hidden = 0, inPairs = 0, hiddenInPairs = 0;
            for (int o = operation; o < events.Operations.Count && events.Operations[o].Started < carriage.Ended; o++)
            {
                var computed = events.Operations[o];
                long from = Math.Max(computed.Started, carriage.Started), to = Math.Min(computed.Ended, carriage.Ended), waited = 0;
                for (int w = wait; w < events.Awaited.Count && events.Awaited[w].Started < to; w++) waited += Math.Max(0, Math.Min(events.Awaited[w].Ended, to) - Math.Max(events.Awaited[w].Started, from));
                hidden += to - from - waited;
                if (computed.What.Kind != OperationKind.ForwardAndBackward) continue;
                inPairs += to - from;
                hiddenInPairs += to - from - waited;
            }

            sum += new CarriageOverlap(carriage.Ended - carriage.Started, hidden, inPairs, hiddenInPairs);
        }

        return sum;
    }

    public static CarriageOverlap operator +(CarriageOverlap x, CarriageOverlap y) =>
        new(x.Carried + y.Carried, x.Hidden + y.Hidden, x.CarriedInPairs + y.CarriedInPairs, x.HiddenInPairs + y.HiddenInPairs);
}
