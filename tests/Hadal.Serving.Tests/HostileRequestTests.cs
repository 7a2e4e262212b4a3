using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Serving.OpenAI;

namespace Hadal.Serving.Tests;

/// <summary>Whatever comes, the answer is an error in the API's shape or an answer, and others are served as before.</summary>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(o => (o.Limits, o.Embeddings) = (new ServingLimits { MostBodyBytes = 200_000 }, Pooling.Last));

    public async ValueTask DisposeAsync()
    {
        await AssertServesAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(413, "x", 300_000)]
    [InlineData(400, "[", 100_000)]
    [InlineData(400, "{\"a\":", 20_000)]
    [InlineData(400, "{\"messages\":[{\"role\":\"user\",\"content\":[", 4_000)]
    public async Task Too_large_and_too_deep_bodies_are_refused(int status, string piece, int times)
    {
        string body = piece == "x" ? $$"""{"prompt":"{{new string('x', times)}}"}""" : string.Concat(Enumerable.Repeat(piece, times));
        using var response = await _server.Client.PostAsync("/v1/chat/completions", new StringContent(body, null, "application/json"), Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.NotEmpty((await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Only_json_is_read_since_a_page_of_another_site_could_send_the_rest(string type)
    {
        using var response = await _server.Client.PostAsync("/v1/completions", new StringContent("""{"prompt":"x"}""", null, type), Cancellation);
        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_by_name()
    {
        var (status, body) = await _server.PostAsync("/v1/completions", new { prompt = new string('x', 5000) });
        Assert.Equal(400, status);
        Assert.Equal("context_length_exceeded", body.GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("GET", "/v1/chat/completions")]
    [InlineData("POST", "/v1/images/generations")]
    [InlineData("DELETE", "/v1")]
    public async Task What_is_not_there_is_an_error_in_the_apis_shape(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _server.Client.SendAsync(request, Cancellation);
        Assert.Equal(404, (int)response.StatusCode);
        var error = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error");
        Assert.Equal("unknown_url", error.GetProperty("code").GetString());
        Assert.StartsWith($"There is no {method} {path} here;", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"a"}],"max_completion_tokens":0}""", "max_completion_tokens")]
    [InlineData("""{"messages":[{"role":"user","content":"a"}],"max_tokens":0}""", "max_tokens")]
    public async Task A_field_is_called_what_the_request_called_it(string body, string field)
    {
        using var response = await _server.Client.PostAsync("/v1/chat/completions", new StringContent(body, null, "application/json"), Cancellation);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(field, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task Errors_are_written_as_a_person_reads_them()
    {
        using var response = await _server.Client.PostAsync("/v1/completions", new StringContent("{bad", null, "application/json"), Cancellation);
        Assert.Contains("'b' is an invalid start", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_never_ends_is_given_up_and_holds_up_nobody()
    {
        using var slow = new TcpClient();
        var url = new Uri(_server.Url);
        await slow.ConnectAsync(url.Host, url.Port, Cancellation);
        await slow.GetStream().WriteAsync("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"prompt\""u8.ToArray(), Cancellation);
        await AssertServesAsync();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        string answer = await new StreamReader(slow.GetStream()).ReadToEndAsync(patience.Token);
        Assert.StartsWith("HTTP/1.1 408", answer);
    }

    [Fact]
    public async Task What_is_not_http_is_refused()
    {
        var random = new Random(1);
        for (int i = 0; i < 20; i++)
        {
            using var client = new TcpClient();
            var url = new Uri(_server.Url);
            await client.ConnectAsync(url.Host, url.Port, Cancellation);
            byte[] noise = new byte[200];
            random.NextBytes(noise);
            byte[] answer = new byte[100];
            int read = 0;
            try
            {
                await client.GetStream().WriteAsync(noise, Cancellation);
                client.Client.Shutdown(SocketShutdown.Send);
                read = await client.GetStream().ReadAsync(answer, Cancellation);
            }
            catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
            {
                // Closed at once: an answer too.
            }

            if (read > 0) Assert.StartsWith("HTTP/1.1 400", Encoding.ASCII.GetString(answer, 0, read));
        }
    }

    [Fact]
    public async Task Paths_do_not_reach_files()
    {
        foreach (string path in new[] { "/../appsettings.json", "/%2e%2e/%2e%2e/etc/passwd", "/Hadal.Serving.dll", "/.//etc/passwd", "/index.html%00", "/v1/models/../../etc/passwd" })
        {
            using var response = await _server.Client.GetAsync(path, Cancellation);
            Assert.True((int)response.StatusCode is 404 or 400, $"{response.StatusCode} for {path}");
        }
    }

    // Bodies of all endpoints with fields taken away, doubled, cut, and given values of other kinds.
    [Fact]
    public async Task Mutated_requests_never_make_the_server_fail()
    {
        string[] paths = ["/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize", "/v1/embeddings"];
        string[] bodies =
        [
            """{"messages":[{"role":"system","content":"a"},{"role":"user","content":[{"type":"text","text":"b"}]}],"max_tokens":3,"temperature":0.5,"top_p":0.9,"seed":1,"stop":["x"],"n":2,"logprobs":true,"top_logprobs":2,"stream":false}""",
            """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"r"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],"tool_choice":"auto","max_tokens":4,"stream":true}""",
            """{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"enum":[1,"b",null]}},"required":["a"]}}},"max_tokens":8,"logit_bias":{"5":1.5}}""",
            """{"prompt":["ab",[5,6,7]],"suffix":null,"max_tokens":2,"echo":true,"logprobs":1,"stream":true,"stream_options":{"include_usage":true}}""",
            """{"prompt":"ab","add_special_tokens":true,"tokens":[1,2,3]}""",
            """{"model":"tiny","input":["ab",[5,6,7]],"encoding_format":"base64","dimensions":64,"priority":1}""",
        ];
        string[] values = ["null", "true", "-1", "1e308", "99999999999999999999", "\"\"", "\"\\ud800\"", "[]", "{}", "[[[]]]", "\"｜>\"", "0.5", "{\"a\":{\"a\":{\"a\":1}}}", "\"<｜Assistant｜>\""];
        var random = new Random(42);
        var seen = new Dictionary<int, int>();
        for (int i = 0; i < 400; i++)
        {
            string body = Mutate(bodies[random.Next(bodies.Length)]);
            using var content = new StringContent(body, null, "application/json");
            using var response = await _server.Client.PostAsync(paths[random.Next(paths.Length)], content, Cancellation);
            string answer = await response.Content.ReadAsStringAsync(Cancellation);
            int status = (int)response.StatusCode;
            seen[status] = seen.GetValueOrDefault(status) + 1;
            Assert.True(status is 200 or 400 or 404 or 501, $"{status} for {body}: {answer}");
            if (status != 200) Assert.NotEmpty(JsonDocument.Parse(answer).RootElement.GetProperty("error").GetProperty("message").GetString()!);
            else Assert.DoesNotContain("server_error", answer);
        }

        Assert.True(seen.GetValueOrDefault(200) > 20 && seen.GetValueOrDefault(400) > 100, string.Join(", ", seen));

        string Mutate(string body)
        {
            for (int times = random.Next(1, 4); times > 0; times--)
            {
                int at = random.Next(body.Length), length = Math.Min(random.Next(1, 12), body.Length - at);
                body = random.Next(5) switch
                {
                    0 => body.Remove(at, length),
                    1 => body.Insert(at, body.Substring(at, length)),
                    2 => body[..at] + (char)random.Next(32, 126) + body[(at + 1)..],
                    3 => Replace(body, values[random.Next(values.Length)]),
                    _ => Replace(body, values[random.Next(values.Length)]),
                };
            }

            return body;
        }

        // The value behind some colon becomes another.
        string Replace(string body, string value)
        {
            int[] colons = [.. Enumerable.Range(0, body.Length).Where(i => body[i] == ':' && i > 0 && body[i - 1] == '"')];
            if (colons.Length == 0) return body;
            int start = colons[random.Next(colons.Length)] + 1;
            try
            {
                var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(body[start..]), isFinalBlock: false, default);
                if (!reader.Read() || !reader.TrySkip()) return body;
                int end = start + Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(body[start..])[..(int)reader.BytesConsumed]).Length;
                return body[..start] + value + body[end..];
            }
            catch (JsonException)
            {
                return body;
            }
        }
    }

    private async Task AssertServesAsync()
    {
        var (status, answer) = await _server.PostAsync("/v1/chat/completions", new { messages = new[] { new { role = "user", content = "x" } }, max_tokens = 3, logit_bias = new Dictionary<string, int> { ["1"] = -100 } });
        Assert.Equal(200, status);
        Assert.Equal(3, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var statistics = _server.Model.Engine.Statistics;
        Assert.Equal((0, 0), (statistics.Running, statistics.HeldPages));
    }
}
