using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Hadal.Serving.Answering;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.Security;

/// <summary>Lets requests in: by their key, and as many as the key allows.</summary>
internal sealed class Gatekeeper : IDisposable
{
    private readonly Entry[]? _entries;

    /// <param name="keys">Who may ask; null for everybody.</param>
    public Gatekeeper(IReadOnlyList<ApiKey>? keys) => _entries = keys?.Select(k => new Entry(k)).ToArray();

    /// <summary>Whether a key is needed.</summary>
    public bool NeedsKey => _entries is not null;

    /// <summary>Whose request it is.</summary>
    /// <returns>The owner; null if everybody may ask.</returns>
    /// <exception cref="RequestException">The key is missing or wrong.</exception>
    public ApiKey? Identify(HttpRequest request) => Find(request)?.Key;

    /// <summary>Lets a request in.</summary>
    /// <returns>To be disposed when the request has ended; null if there are no limits.</returns>
    /// <exception cref="RequestException">The key is missing, wrong, or used up.</exception>
    public (ApiKey? Key, IDisposable? Pass) Enter(HttpRequest request)
    {
        if (Find(request) is not { } entry) return (null, null);
        var pass = entry.Concurrent?.AttemptAcquire();
        if (pass is { IsAcquired: false })
            throw new RequestException($"The key of {entry.Key.Name} may have {entry.Key.Concurrent} requests at once, and has; try again when one has ended.", code: "concurrency_limit", status: 429);
        if (entry.Rate?.AttemptAcquire() is { IsAcquired: false })
        {
            pass?.Dispose();
            throw new RequestException($"The key of {entry.Key.Name} may have {entry.Key.RequestsPerMinute} requests a minute, and has had them; try again in a moment.", code: "rate_limit_exceeded", status: 429);
        }

        return (entry.Key, pass);
    }

    public void Dispose()
    {
        foreach (var entry in _entries ?? [])
        {
            entry.Rate?.Dispose();
            entry.Concurrent?.Dispose();
        }
    }

    // All entries are compared, each in constant time, so that time tells nothing about hashes.
    private Entry? Find(HttpRequest request)
    {
        if (_entries is null) return null;
        string header = request.Headers.Authorization.ToString();
        string key = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : request.Headers["api-key"].ToString();
        if (key.Length == 0) throw new RequestException("An API key is needed: Authorization: Bearer KEY.", code: "invalid_api_key", status: 401);
        byte[] hash = ApiKeyFile.Hash(key);
        Entry? found = null;
        foreach (var entry in _entries)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, entry.Key.Hash.Span)) found = entry;
        }

        return found ?? throw new RequestException("The API key is not one that this server knows.", code: "invalid_api_key", status: 401);
    }

    private sealed class Entry(ApiKey key)
    {
        public ApiKey Key => key;

        public RateLimiter? Rate { get; } = key.RequestsPerMinute is { } rate
            ? new SlidingWindowRateLimiter(new SlidingWindowRateLimiterOptions { PermitLimit = rate, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 12, QueueLimit = 0 })
            : null;

        public RateLimiter? Concurrent { get; } = key.Concurrent is { } most
            ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = most, QueueLimit = 0 })
            : null;
    }
}
