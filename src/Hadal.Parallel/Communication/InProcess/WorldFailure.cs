namespace Hadal.Parallel.Communication.InProcess;

/// <summary>Why the ranks of a world cannot go on.</summary>
/// <param name="Message">One sentence that names the rank.</param>
/// <param name="Cause">What that rank threw, if it did.</param>
internal sealed record WorldFailure(string Message, Exception? Cause)
{
    /// <summary>A new exception for each rank that hears of it: one object thrown by several threads would mix their stacks.</summary>
    public CollectiveException ToException() => Cause is null ? new CollectiveException(Message) : new CollectiveException(Message, Cause);
}
