using System.Text.Json.Serialization;

namespace Hadal.Data.Mixtures;

/// <summary>A group of documents and how often it is seen.</summary>
public sealed record MixtureGroup
{
    /// <summary>Its name: a language or a source.</summary>
    [JsonPropertyName("group")]
    public required string Name { get; init; }

    /// <summary>Documents.</summary>
    [JsonPropertyName("documents")]
    public long Documents { get; init; }

    /// <summary>Their text, in bytes of UTF-8.</summary>
    [JsonPropertyName("bytes")]
    public long Bytes { get; init; }

    /// <summary>Their tokens, each document once; 0 where nobody needed to know.</summary>
    [JsonPropertyName("tokens")]
    public long Tokens { get; init; }

    /// <summary>How often each document is seen.</summary>
    [JsonPropertyName("epochs")]
    public double Epochs { get; init; } = 1;
}
