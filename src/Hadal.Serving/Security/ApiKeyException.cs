namespace Hadal.Serving.Security;

/// <summary>A file of API keys cannot be read.</summary>
public sealed class ApiKeyException : Exception
{
    /// <summary>An exception.</summary>
    /// <param name="message">The file, the line, what is wrong and what would be right.</param>
    /// <param name="cause">What caused it; or null.</param>
    public ApiKeyException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
