namespace Hadal.Inference.Batching;

/// <summary>Who has had how many tokens, so that who has had fewer goes first.</summary>
/// <remarks>
/// The counters of virtual token accounting: a client that comes back after a pause is lifted to the least of those who are being served, so that nobody can
/// save up a share.
/// </remarks>
internal sealed class ClientShares
{
    private const int MostIdle = 4096;
    private readonly Dictionary<string, Client> _clients = [];

    /// <summary>Tokens that count against a client.</summary>
    public double Of(string client) => _clients[client].Tokens;

    /// <summary>A client has one more request.</summary>
    public void Begin(string client)
    {
        if (!_clients.TryGetValue(client, out var entry)) _clients.Add(client, entry = new Client());
        if (entry.Requests++ > 0) return;
        double least = double.PositiveInfinity;
        foreach (var other in _clients.Values)
        {
            if (other != entry && other.Requests > 0) least = Math.Min(least, other.Tokens);
        }

        if (least < double.PositiveInfinity) entry.Tokens = Math.Max(entry.Tokens, least);
    }

    /// <summary>A client has been served tokens.</summary>
    public void Charge(string client, int tokens) => _clients[client].Tokens += tokens;

    /// <summary>A client's request has ended.</summary>
    public void End(string client)
    {
        _clients[client].Requests--;
        if (_clients.Count <= MostIdle) return;
        foreach (string idle in _clients.Where(c => c.Value.Requests == 0).Select(c => c.Key).ToList()) _clients.Remove(idle);
    }

    private sealed class Client
    {
        public int Requests { get; set; }

        public double Tokens { get; set; }
    }
}
