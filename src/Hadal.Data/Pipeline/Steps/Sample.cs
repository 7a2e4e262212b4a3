using System.Text.Json.Serialization;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>An example of what a rule drops or changes: a line of <c>samples.jsonl</c>.</summary>
public sealed record Sample
{
    /// <summary>The stage.</summary>
    [JsonPropertyName("stage")]
    public required string Stage { get; init; }

    /// <summary>Its rule, or what was changed.</summary>
    [JsonPropertyName("rule")]
    public required string Rule { get; init; }

    /// <summary>The document.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>Its source.</summary>
    [JsonPropertyName("source")]
    public required string Source { get; init; }

    /// <summary>Its language as far as it was known.</summary>
    [JsonPropertyName("language")]
    public string Language { get; init; } = "";

    /// <summary>The measure that failed, where there is one.</summary>
    [JsonPropertyName("detail")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    /// <summary>The text's beginning, or what is around the first change.</summary>
    [JsonPropertyName("text")]
    public required string Text { get; init; }

    /// <summary>The same place after the change; left out where the document is dropped.</summary>
    [JsonPropertyName("after")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? After { get; init; }

    /// <summary>Random and the same for the same document: of all examples those with the smallest are kept.</summary>
    [JsonPropertyName("draw")]
    public ulong Draw { get; init; }
}
