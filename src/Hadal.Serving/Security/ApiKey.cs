namespace Hadal.Serving.Security;

/// <summary>Who may ask, and how much.</summary>
/// <param name="Name">What the owner is called in logs and metrics.</param>
/// <param name="Hash">SHA-256 of the key, 32 bytes.</param>
public sealed record ApiKey(string Name, ReadOnlyMemory<byte> Hash)
{
    /// <summary>Requests a minute at most; null for any number.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Requests at once at most; null for any number.</summary>
    public int? Concurrent { get; init; }

    /// <summary>Priority of the requests, from -100 to 100; they may ask for less, but not for more.</summary>
    public int Priority { get; init; }
}
