using System.Text.Json.Serialization;

namespace Hadal.Data.Deduplication;

/// <summary>How a text becomes the set that similarity is measured on.</summary>
public sealed record ShingleRule
{
    /// <summary>What a window counts.</summary>
    [JsonPropertyName("of")]
    public ShingleKind Of { get; init; } = ShingleKind.Characters;

    /// <summary>Code points or words in a window, 1 to 64.</summary>
    [JsonPropertyName("length")]
    public int Length { get; init; } = 5;
}
