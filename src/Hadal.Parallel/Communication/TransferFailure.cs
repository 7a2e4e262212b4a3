namespace Hadal.Parallel.Communication;

/// <summary>Why transfers have failed.</summary>
/// <param name="Message">One sentence that names the rank.</param>
/// <param name="Cause">What was thrown, if something was.</param>
internal sealed record TransferFailure(string Message, Exception? Cause)
{
    /// <summary>A new exception for each rank that hears of it: one object thrown by several threads would mix their stacks.</summary>
    public CollectiveException ToException() => Cause is null ? new CollectiveException(Message) : new CollectiveException(Message, Cause);
}
