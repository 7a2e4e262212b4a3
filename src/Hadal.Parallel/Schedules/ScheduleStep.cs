namespace Hadal.Parallel.Schedules;

/// <summary>An operation of a rank, and what must have moved before it.</summary>
/// <param name="MessagesBefore">Begun together, in this order, and all awaited before the operation.</param>
/// <param name="Operation">What is computed then.</param>
public sealed record ScheduleStep(IReadOnlyList<ScheduleMessage> MessagesBefore, ScheduleOperation Operation)
{
    /// <summary>Such as <c>[SF.0.2@1,RB.0.0@1] B.0.0</c>.</summary>
    public override string ToString() => $"{RankSchedule.Text(MessagesBefore)}{Operation}";
}
