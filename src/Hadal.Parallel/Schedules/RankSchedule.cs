namespace Hadal.Parallel.Schedules;

/// <summary>What one rank does, in order.</summary>
/// <param name="Steps">Its operations, each with the messages before it.</param>
/// <param name="MessagesAfter">Messages begun together and awaited after the last operation; often none.</param>
public sealed record RankSchedule(IReadOnlyList<ScheduleStep> Steps, IReadOnlyList<ScheduleMessage> MessagesAfter)
{
    /// <summary>The operations alone, such as <c>F.0.0 F.0.1 B.0.0 B.0.1</c>.</summary>
    public string OperationText => string.Join(' ', Steps.Select(s => s.Operation));

    /// <summary>Operations and batches of messages, such as <c>F.0.0 [SF.0.0@1] F.0.1 [SF.0.1@1,RB.0.0@1] B.0.0</c>.</summary>
    public override string ToString() => (string.Join(' ', Steps) + " " + Text(MessagesAfter)).TrimEnd();

    internal static string Text(IReadOnlyList<ScheduleMessage> messages) => messages.Count == 0 ? "" : $"[{string.Join(',', messages)}] ";
}
