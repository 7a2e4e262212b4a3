namespace Hadal.Parallel.Communication;

/// <summary>A movement of tensors between ranks that is under way beside the caller.</summary>
public interface ITransfer
{
    /// <summary>Whether it has ended: what was to be received is there, and what was sent may be written again.</summary>
    bool IsComplete { get; }

    /// <summary>Waits until it has ended.</summary>
    /// <exception cref="CollectiveException">A rank is gone, or sent something that does not fit.</exception>
    void Wait();
}
