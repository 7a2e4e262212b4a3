namespace Hadal.Serving.Answering;

/// <summary>A request that cannot be answered as it stands.</summary>
/// <param name="message">What is wrong, and what would be right.</param>
/// <param name="place">The field of the request that is to blame; null if none is.</param>
/// <param name="code">A short name of the case, for programs; null for none.</param>
/// <param name="status">The HTTP status, 400 unless something else fits better.</param>
internal sealed class RequestException(string message, string? place = null, string? code = null, int status = 400) : Exception(message)
{
    public string? Field => place;

    public string? Code => code;

    public int Status => status;
}
