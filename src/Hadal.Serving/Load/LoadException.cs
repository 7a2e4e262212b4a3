namespace Hadal.Serving.Load;

/// <summary>A server that cannot be measured: it is not there, or it is no server of OpenAI's API.</summary>
public sealed class LoadException : Exception
{
    /// <summary>An exception.</summary>
    /// <param name="message">What is wrong, and what would be right.</param>
    /// <param name="inner">Where it comes from; null for here.</param>
    public LoadException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
