namespace Hadal.Parallel.Schedules;

/// <summary>A schedule that cannot be: ranks or micro-batches that its rule does not allow, or operations and messages that do not fit together.</summary>
public sealed class ScheduleException : Exception
{
    /// <summary>With a message that says the rule and what broke it.</summary>
    /// <param name="message">One sentence.</param>
    public ScheduleException(string message)
        : base(message)
    {
    }
}
