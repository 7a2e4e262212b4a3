namespace Hadal.Inference.Batching;

/// <summary>The engine takes no more requests: too many wait, or it is stopping.</summary>
public sealed class EngineBusyException : Exception
{
    /// <summary>An exception.</summary>
    /// <param name="message">What is full and what to do.</param>
    public EngineBusyException(string message)
        : base(message)
    {
    }
}
