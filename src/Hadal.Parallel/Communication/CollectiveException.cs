namespace Hadal.Parallel.Communication;

/// <summary>A rank of a group is gone or gave up, or two ranks do not agree about what moves between them.</summary>
public sealed class CollectiveException : Exception
{
    /// <summary>With a message that says which rank, what, and where.</summary>
    /// <param name="message">One sentence.</param>
    public CollectiveException(string message)
        : base(message)
    {
    }

    /// <summary>With the reason behind it.</summary>
    /// <param name="message">One sentence.</param>
    /// <param name="innerException">The reason.</param>
    public CollectiveException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
