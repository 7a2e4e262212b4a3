using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Serving.OpenAI;

/// <summary>What chats and completions have in common.</summary>
internal record SamplingFields
{
    public string? Model { get; init; }

    public int? MaxTokens { get; init; }

    public int? N { get; init; }

    public bool? Stream { get; init; }

    public StreamOptionsField? StreamOptions { get; init; }

    /// <summary>A text, or a list of up to sixteen.</summary>
    public JsonElement? Stop { get; init; }

    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public int? TopK { get; init; }

    public double? MinP { get; init; }

    public double? PresencePenalty { get; init; }

    public double? FrequencyPenalty { get; init; }

    public double? RepetitionPenalty { get; init; }

    public long? Seed { get; init; }

    public Dictionary<string, double>? LogitBias { get; init; }

    /// <summary>Hadal's own: requests of a higher number go first, from -100 to 100.</summary>
    public int? Priority { get; init; }

    /// <summary>Whether the model's end tokens are passed over, so that the answer has as many tokens as asked for; for measuring, as other servers have it.</summary>
    public bool? IgnoreEos { get; init; }

    public string? User { get; init; }
}

internal sealed record StreamOptionsField
{
    public bool? IncludeUsage { get; init; }
}

/// <summary>Body of <c>POST /tokenize</c>.</summary>
internal sealed record TokenizeRequest
{
    /// <summary>A text.</summary>
    public string? Prompt { get; init; }

    /// <summary>A conversation instead.</summary>
    public List<MessageField>? Messages { get; init; }

    /// <summary>Whether a text is begun with the begin token; null for what the tokenizer's settings say.</summary>
    public bool? AddSpecialTokens { get; init; }
}

internal sealed record TokenizeResponse(IReadOnlyList<int> Tokens, int Count, int MaxModelLen);

/// <summary>Body of <c>POST /detokenize</c>.</summary>
internal sealed record DetokenizeRequest
{
    public List<int>? Tokens { get; init; }
}

internal sealed record DetokenizeResponse(string Prompt);

internal sealed record ModelCard(string Id, long Created, int MaxModelLen)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "model";

    public string OwnedBy { get; } = "hadal";
}

internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    [JsonPropertyName("object")]
    public string Kind { get; } = "list";
}
