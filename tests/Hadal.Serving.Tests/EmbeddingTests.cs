using System.ClientModel;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Inference.Running;
using Hadal.Serving.Chat;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;

namespace Hadal.Serving.Tests;

/// <summary><c>/v1/embeddings</c> and the generator in the process, with the switch and without.</summary>
public sealed class EmbeddingTests : IAsyncLifetime
{
    private const int Begin = 0;
    private TestServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _server = await TestServer.StartAsync(o => (o.Embeddings, o.Limits) = (Pooling.Mean, new ServingLimits { MostInputs = 20 }), context: 512, endless: true);

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private static int[] Ids(string text) => [Begin, .. Encoding.UTF8.GetBytes(text).Select(b => ChatModel.FirstByte + b)];

    // Pooled hidden states that the model gives alone; while nothing else is computed.
    private static float[] Alone(TestServer server, int[] tokens, Pooling pooling)
    {
        var hidden = ModelTrace.Run(server.Model.Engine.Model, tokens, cancellation: Cancellation).Tensors["final_norm"];
        double[] sums = new double[hidden.Columns];
        for (int t = pooling == Pooling.Mean ? 0 : tokens.Length - 1; t < tokens.Length; t++)
        {
            for (int i = 0; i < sums.Length; i++) sums[i] += hidden.Values[t * sums.Length + i];
        }

        double length = Math.Sqrt(sums.Sum(s => s * s));
        return [.. sums.Select(s => (float)(s / length))];
    }

    private static float[][] Vectors(JsonElement answer) =>
        [.. answer.GetProperty("data").EnumerateArray().Select(d => d.GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle()).ToArray())];

    [Theory]
    [InlineData(Pooling.Mean)]
    [InlineData(Pooling.Last)]
    public async Task Every_form_of_input_gives_the_pooled_hidden_states_of_its_tokens(Pooling pooling)
    {
        await using var server = await TestServer.StartAsync(o => o.Embeddings = pooling);
        float[] abc = Alone(server, Ids("abc"), pooling), long_ = Alone(server, Ids(new string('x', 900)), pooling), bare = Alone(server, [100, 101], pooling);
        await AssertAsync("abc", 4, abc);
        await AssertAsync(new[] { "abc", new string('x', 900) }, 905, abc, long_);
        await AssertAsync(new[] { 100, 101 }, 2, bare);
        await AssertAsync(new object[] { new[] { 100, 101 }, "abc", Ids("abc") }, 10, bare, abc, abc);

        async Task AssertAsync(object input, int tokens, params float[][] expected)
        {
            var (status, answer) = await server.PostAsync("/v1/embeddings", new { model = "tiny", input });
            Assert.Equal(200, status);
            Assert.Equal(expected, Vectors(answer));
            Assert.Equal("list", answer.GetProperty("object").GetString());
            Assert.Equal("tiny", answer.GetProperty("model").GetString());
            Assert.Equal(Enumerable.Range(0, expected.Length), answer.GetProperty("data").EnumerateArray().Select(d => d.GetProperty("index").GetInt32()));
            Assert.All(answer.GetProperty("data").EnumerateArray(), d => Assert.Equal("embedding", d.GetProperty("object").GetString()));
            Assert.Equal($$"""{"prompt_tokens":{{tokens}},"total_tokens":{{tokens}}}""", answer.GetProperty("usage").GetRawText());
        }
    }

    [Fact]
    public async Task Base64_has_the_same_numbers()
    {
        var (_, numbers) = await _server.PostAsync("/v1/embeddings", new { input = "abc", encoding_format = "float", dimensions = 64 });
        var (_, base64) = await _server.PostAsync("/v1/embeddings", new { input = "abc", encoding_format = "base64" });
        byte[] bytes = base64.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal(Assert.Single(Vectors(numbers)), Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i)));
    }

    [Theory]
    [InlineData("""{}""", "input", "input is missing; it is the text to be embedded.")]
    [InlineData("""{"input":null}""", "input", "input is missing")]
    [InlineData("""{"input":[]}""", "input", "input is an empty list.")]
    [InlineData("""{"input":""}""", "input", "input is an empty text")]
    [InlineData("""{"input":["a",""]}""", "input[1]", "input[1] is an empty text")]
    [InlineData("""{"input":["a",[]]}""", "input[1]", "input[1] has to be a text or a list of tokens.")]
    [InlineData("""{"input":["a",{}]}""", "input[1]", "input[1] has to be a text or a list of tokens.")]
    [InlineData("""{"input":3}""", "input", "input has to be a text or a list of tokens.")]
    [InlineData("""{"input":[[5],[5,999]]}""", "input[1]", "input[1] has 999, which is no token of the model.")]
    [InlineData("""{"input":["0","1","2","3","4","5","6","7","8","9","0","1","2","3","4","5","6","7","8","9","0"]}""", "input", "input has 21 texts; at most 20 are allowed.")]
    [InlineData("""{"input":"a","dimensions":32}""", "dimensions", "dimensions is 32, but vectors of tiny have 64 and cannot be shortened; leave it out.")]
    [InlineData("""{"input":"a","encoding_format":"int8"}""", "encoding_format", "encoding_format is \"int8\"; it can be float or base64.")]
    [InlineData("""{"input":"a","priority":101}""", "priority", "priority is 101; it has to be from -100 to 100.")]
    [InlineData("""{"input":"a","model":"other"}""", "model", "There is no model \"other\" here")]
    public async Task What_cannot_be_embedded_is_named(string body, string field, string message)
    {
        using var response = await _server.Client.PostAsync("/v1/embeddings", new StringContent(body, null, "application/json"), Cancellation);
        Assert.Equal(field == "model" ? 404 : 400, (int)response.StatusCode);
        var error = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error");
        Assert.Equal(field, error.GetProperty("param").GetString());
        Assert.StartsWith(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_longer_than_the_context_is_refused_by_name_and_the_others_of_its_request_are_given_up()
    {
        var (status, body) = await _server.PostAsync("/v1/embeddings", new { input = Enumerable.Range(0, 20).Select(i => new string('x', i == 3 ? 512 : 511)).ToArray() });
        Assert.Equal(400, status);
        Assert.Equal("context_length_exceeded", body.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains("513 tokens", body.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal((0, 0, 0), (_server.Model.Engine.Statistics.Running, _server.Model.Engine.Statistics.Waiting, _server.Model.Engine.Statistics.HeldPages));
    }

    [Fact]
    public async Task Texts_are_embedded_while_an_answer_is_streamed_and_change_nothing_of_it()
    {
        var question = new { prompt = "abc", max_tokens = 400, temperature = 0, stream = true };
        string[] input = [.. Enumerable.Range(0, 20).Select(i => new string((char)('a' + i), 20 * (i + 1)))];
        float[][] expected = [.. input.Select(text => Alone(_server, Ids(text), Pooling.Mean))];
        string alone = await StreamAsync(question, 0, () => Task.CompletedTask);
        string beside = await StreamAsync(question, 5, async () =>
        {
            var (status, answer) = await _server.PostAsync("/v1/embeddings", new { input });
            Assert.Equal(200, status);
            Assert.Equal(expected, Vectors(answer));
        });
        Assert.Equal(alone, beside);
    }

    [Fact]
    public async Task Without_the_switch_the_error_names_it()
    {
        await using var server = await TestServer.StartAsync();
        var (status, body) = await server.PostAsync("/v1/embeddings", new { input = "x" });
        Assert.Equal((501, "not_supported"), (status, body.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("--embeddings mean", body.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        var error = Assert.Throws<InvalidOperationException>(() => server.Application.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Contains("HadalOptions.Embeddings", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAIs_package_gets_the_same_vectors()
    {
        float[][] expected = [Alone(_server, Ids("one"), Pooling.Mean), Alone(_server, Ids("two"), Pooling.Mean)];
        var client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(_server.Url + "/v1") }).GetEmbeddingClient("tiny");
        var answer = (await client.GenerateEmbeddingsAsync(["one", "two"], cancellationToken: Cancellation)).Value;
        Assert.Equal(expected, answer.Select(e => e.ToFloats().ToArray()));
        Assert.Equal(8, answer.Usage.InputTokenCount);
    }

    [Fact]
    public async Task The_generator_in_the_process_gives_the_same_vectors_and_the_same_refusals()
    {
        float[][] expected = [Alone(_server, Ids("one"), Pooling.Mean), Alone(_server, Ids("two"), Pooling.Mean)];
        var generator = _server.Application.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        var answer = await generator.GenerateAsync(["one", "two"], cancellationToken: Cancellation);
        Assert.Equal(expected, answer.Select(e => e.Vector.ToArray()));
        Assert.Equal(8, answer.Usage!.InputTokenCount);
        Assert.Empty(await generator.GenerateAsync([], cancellationToken: Cancellation));
        Assert.Equal(64, generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
        Assert.Same(_server.Model, generator.GetService<Answering.ServedModel>());

        Assert.Equal("values[1]", (await RefusedAsync(["a", ""], null)).Field);
        Assert.Equal("dimensions", (await RefusedAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 3 })).Field);
        Assert.Equal("model_not_found", (await RefusedAsync(["a"], new EmbeddingGenerationOptions { ModelId = "other" })).Code);

        Task<ChatRequestException> RefusedAsync(string[] texts, EmbeddingGenerationOptions? options) =>
            Assert.ThrowsAsync<ChatRequestException>(() => generator.GenerateAsync(texts, options, Cancellation));
    }

    // The text of a stream; something is done after so many events of it, while it goes on.
    private async Task<string> StreamAsync(object body, int after, Func<Task> meanwhile)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(body) };
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var text = new StringBuilder();
        var work = Task.CompletedTask;
        for (int events = 0; await reader.ReadLineAsync(Cancellation) is { } line;)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
            text.Append(JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("choices")[0].GetProperty("text").GetString());
            if (events++ == after) work = meanwhile();
        }

        await work.BoundedAsync();
        return text.ToString();
    }
}
