using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.Embeddings;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary><c>POST /v1/embeddings</c>, if it was switched on.</summary>
/// <param name="pooling">How vectors are made; null if there are none.</param>
internal sealed class EmbeddingEndpoint(Pooling? pooling)
{
    public async Task HandleAsync(HttpContext http, RequestScope scope)
    {
        if (pooling is not { } how)
        {
            throw new RequestException(
                $"The model {scope.Model(null).Name} generates text; it was not trained to give embeddings, and this server offers none. "
                + "Started with --embeddings mean or --embeddings last (in an application: HadalOptions.Embeddings) it offers pooled hidden states.",
                code: "not_supported",
                status: 501);
        }

        var request = await scope.ReadAsync(http, WireJson.Default.EmbeddingFields).ConfigureAwait(false);
        var model = scope.Model(request.Model);
        bool base64 = request.EncodingFormat switch
        {
            null or "float" => false,
            "base64" => true,
            { } other => throw new RequestException($"encoding_format is {RequestReading.Quote(other)}; it can be float or base64.", "encoding_format"),
        };
        TextEmbedding.CheckDimensions(request.Dimensions, model);
        RequestReading.CheckPriority(request.Priority);
        var items = TextInputs.Of(request.Input, "input", "the text to be embedded", scope.Limits.MostInputs);
        List<EmbeddingRequest> texts = [.. items.Select((item, i) => scope.Sign(new EmbeddingRequest
        {
            Tokens = Tokens(item, items.Count == 1 ? "input" : $"input[{i}]", model),
            Pooling = how,
            Priority = request.Priority ?? 0,
        }))];
        using var observation = scope.Observe("embeddings", model, null);
        var results = await TextEmbedding.EmbedAsync(model, texts, scope.Limits, scope.Cancellation).ConfigureAwait(false);
        int tokens = texts.Sum(t => t.Tokens.Count);
        observation.End(tokens, results);
        var answer = new EmbeddingList([.. results.Select((r, i) => new EmbeddingItem(i, new EmbeddingVector(r.Vector, base64)))], model.Name, new EmbeddingUsage(tokens));
        await scope.WriteAsync(http, answer, WireJson.Default.EmbeddingList).ConfigureAwait(false);
    }

    private static int[] Tokens(JsonElement item, string name, ServedModel model)
    {
        if (TextInputs.IsTokens(item)) return TextInputs.Tokens(item, name, model.Tokenizer);
        if (item.ValueKind != JsonValueKind.String) throw new RequestException($"{name} has to be a text or a list of tokens.", name);
        return TextEmbedding.Tokens(item.GetString()!, name, model);
    }
}
