using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Serving.OpenAI;

/// <summary>Body of <c>POST /v1/embeddings</c>.</summary>
internal sealed record EmbeddingFields
{
    public string? Model { get; init; }

    /// <summary>A text, a list of texts, a list of tokens, or a list of these.</summary>
    public JsonElement? Input { get; init; }

    /// <summary><c>float</c> or <c>base64</c>.</summary>
    public string? EncodingFormat { get; init; }

    public int? Dimensions { get; init; }

    /// <summary>Hadal's own, as for answers.</summary>
    public int? Priority { get; init; }

    public string? User { get; init; }
}

/// <summary>Answer of <c>/v1/embeddings</c>.</summary>
internal sealed record EmbeddingList(IReadOnlyList<EmbeddingItem> Data, string Model, EmbeddingUsage Usage)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "list";
}

internal sealed record EmbeddingItem(int Index, EmbeddingVector Embedding)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "embedding";
}

/// <summary>A vector: a list of numbers, or as base64 the bytes of its FP32 values, the lowest first.</summary>
[JsonConverter(typeof(EmbeddingVectorWriter))]
internal sealed record EmbeddingVector(ReadOnlyMemory<float> Values, bool Base64);

internal sealed record EmbeddingUsage(int PromptTokens)
{
    public int TotalTokens => PromptTokens;
}

internal sealed class EmbeddingVectorWriter : JsonConverter<EmbeddingVector>
{
    public override EmbeddingVector Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

    public override void Write(Utf8JsonWriter writer, EmbeddingVector value, JsonSerializerOptions options)
    {
        if (value.Base64)
        {
            writer.WriteBase64StringValue(MemoryMarshal.AsBytes(value.Values.Span));
            return;
        }

        writer.WriteStartArray();
        foreach (float number in value.Values.Span) writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
