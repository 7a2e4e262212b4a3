using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Hadal.Serving.Answering;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.Security;

/// <summary>Lets requests in: by their key, and as many as the key allows.</summary>
internal sealed class Gatekeeper : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ApiKeyWatch? _keys;
    private Entry[] _entries;

    /// <param name="keys">Who may ask; null for everybody.</param>
    public Gatekeeper(ApiKeyWatch? keys)
    {
        _keys = keys;
        _entries = keys is null ? [] : [.. keys.Keys.Select(k => new Entry(k, null))];
    }

    /// <summary>Whose request it is.</summary>
    /// <returns>The owner; null if everybody may ask.</returns>
    /// <exception cref="RequestException">The key is missing or wrong.</exception>
    public ApiKey? Identify(HttpRequest request)
    {
        if (_keys is null) return null;
        byte[] hash = Hash(request);
        lock (_gate) return Find(hash).Key;
    }

    /// <summary>Lets a request in.</summary>
    /// <returns>To be disposed when the request has ended; null if there are no limits.</returns>
    /// <exception cref="RequestException">The key is missing, wrong, or used up.</exception>
    public (ApiKey? Key, IDisposable? Pass) Enter(HttpRequest request)
    {
        if (_keys is null) return (null, null);
        byte[] hash = Hash(request);
        lock (_gate)
        {
            var entry = Find(hash);
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
    }

    public void Dispose()
    {
        foreach (var limiter in _entries.SelectMany(e => e.Limiters)) limiter.Dispose();
    }

    private static byte[] Hash(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        string key = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : request.Headers["api-key"].ToString();
        return key.Length > 0 ? ApiKeyFile.Hash(key) : throw new RequestException("An API key is needed: Authorization: Bearer KEY.", code: "invalid_api_key", status: 401);
    }

    // All entries are compared, each in constant time, so that time tells nothing about hashes.
    private Entry Find(byte[] hash)
    {
        if (_keys!.Refresh()) TakeUp(_keys.Keys);
        Entry? found = null;
        foreach (var entry in _entries)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, entry.Key.Hash.Span)) found = entry;
        }

        return found ?? throw new RequestException("The API key is not one that this server knows.", code: "invalid_api_key", status: 401);
    }

    // Who has the same limits as before goes on counting; requests in work end under the limits that they began with.
    private void TakeUp(IReadOnlyList<ApiKey> keys)
    {
        var before = _entries;
        _entries = [.. keys.Select(k => new Entry(k, before.FirstOrDefault(e => e.Key.Name == k.Name)))];
        foreach (var gone in before.SelectMany(e => e.Limiters).Except(_entries.SelectMany(e => e.Limiters)).ToList()) gone.Dispose();
    }

    private sealed class Entry(ApiKey key, Entry? before)
    {
        public ApiKey Key => key;

        public RateLimiter? Rate { get; } = before is not null && before.Key.RequestsPerMinute == key.RequestsPerMinute ? before.Rate : key.RequestsPerMinute is { } rate
            ? new SlidingWindowRateLimiter(new SlidingWindowRateLimiterOptions { PermitLimit = rate, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 12, QueueLimit = 0 })
            : null;

        public RateLimiter? Concurrent { get; } = before is not null && before.Key.Concurrent == key.Concurrent ? before.Concurrent : key.Concurrent is { } most
            ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = most, QueueLimit = 0 })
            : null;

        public IEnumerable<RateLimiter> Limiters => new[] { Rate, Concurrent }.OfType<RateLimiter>();
    }
}
