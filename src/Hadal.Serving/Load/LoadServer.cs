using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Hadal.Serving.Load;

/// <summary>The server that is measured: its model, tokens that prompts are made of, and its stream of an answer. Any server with <c>/v1/models</c> and
/// <c>/v1/completions</c> will do; one with <c>/tokenize</c> (Hadal, llama-server, vLLM) gets prompts of exact lengths.</summary>
internal sealed class LoadServer : IDisposable
{
    private const string Text =
        "the of and a to in is you that it he was for on are as with his they I at be this have from or one had by word but not what all were we when your can said "
        + "there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more write "
        + "go see number no way could people my than first water been call who oil its now find long down day did get come made may part river mountain letter winter "
        + "engine page table garden music paper silver stone bridge forest window machine answer question morning evening summer island harbour captain village";

    private readonly HttpClient _client;
    private readonly int[]? _tokens;
    private readonly string[] _words = Text.Split(' ');

    private LoadServer(HttpClient client, string model, int[]? tokens) => (_client, Model, _tokens) = (client, model, tokens);

    public string Model { get; }

    /// <summary>How many different words prompts are made of.</summary>
    public int Words => _tokens?.Length ?? _words.Length;

    /// <summary>Whether prompts have exactly the lengths asked for; otherwise words stand for tokens.</summary>
    public bool HasTokens => _tokens is not null;

    /// <summary>Finds out what is served.</summary>
    /// <exception cref="LoadException">Nothing that could be measured.</exception>
    public static async Task<LoadServer> ConnectAsync(Uri server, string? model, string? key, CancellationToken cancellation)
    {
        string root = server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        if (root.EndsWith("/v1", StringComparison.Ordinal)) root = root[..^3];

        // Who gives an answer up hangs up: by default the rest would be read for up to two seconds, to use the connection again.
        var client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0, UseProxy = false, UseCookies = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30) })
        {
            BaseAddress = new Uri(root + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        try
        {
            model ??= await ModelAsync(client, cancellation).ConfigureAwait(false);
            return new LoadServer(client, model, await TokensAsync(client, model, cancellation).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            client.Dispose();
            if (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException)
                throw new LoadException($"{root} does not answer as a server of OpenAI's API: {e.Message}", e);
            throw;
        }
    }

    public void WritePrompt(Utf8JsonWriter writer, int[] words)
    {
        if (_tokens is null)
        {
            writer.WriteStringValue(string.Join(' ', words.Select(w => _words[w])));
            return;
        }

        writer.WriteStartArray();
        foreach (int word in words) writer.WriteNumberValue(_tokens[word]);
        writer.WriteEndArray();
    }

    /// <summary>Sends a request; the answer's headers have come when this completes.</summary>
    /// <exception cref="LoadException">The server answered with an error.</exception>
    public async Task<HttpResponseMessage> SendAsync(byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            throw new LoadException($"{(int)response.StatusCode}: {Sentence(text)}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string> ModelAsync(HttpClient client, CancellationToken cancellation)
    {
        using var models = JsonDocument.Parse(await client.GetByteArrayAsync("v1/models", cancellation).ConfigureAwait(false));
        return models.RootElement.GetProperty("data").EnumerateArray().First().GetProperty("id").GetString()!;
    }

    // Servers call the text by different names; each takes its own and passes over the rest.
    private static async Task<int[]?> TokensAsync(HttpClient client, string model, CancellationToken cancellation)
    {
        string body = JsonSerializer.Serialize(new Dictionary<string, object> { ["model"] = model, ["prompt"] = Text, ["content"] = Text, ["add_special"] = false, ["add_special_tokens"] = false });
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("tokenize", UriKind.Relative), content, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) return null;
        using var tokens = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
        return [.. tokens.RootElement.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32()).Distinct()];
    }

    private static string Sentence(string text)
    {
        try
        {
            using var body = JsonDocument.Parse(text);
            return body.RootElement.GetProperty("error").GetProperty("message").GetString() ?? text;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return text.Length > 200 ? text[..200] + "…" : text;
        }
    }
}
