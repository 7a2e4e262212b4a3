using System.Text.Json.Serialization;

namespace Hadal.Data.Deduplication;

/// <summary>Which copies are looked for, and which of them stays.</summary>
public sealed record DeduplicationSettings
{
    /// <summary>Texts of the same bytes, and texts that are equal in their normal form (line ends, blanks, composed characters, capitals).</summary>
    [JsonPropertyName("exact")]
    public bool Exact { get; init; } = true;

    /// <summary>Texts that are nearly the same.</summary>
    [JsonPropertyName("near")]
    public bool Near { get; init; } = true;

    /// <summary>Jaccard similarity of the shingles from which on a text counts as a copy, above 0 and at most 1.</summary>
    [JsonPropertyName("threshold")]
    public double Threshold { get; init; } = 0.75;

    /// <summary>Bands of a sketch: texts that agree in one of them are compared.</summary>
    [JsonPropertyName("bands")]
    public int Bands { get; init; } = 21;

    /// <summary>Places in a band. Two texts of similarity s are compared with a probability of 1 - (1 - s^rows)^bands: 0.998 for 0.8 with the defaults, 0.28 for 0.5.</summary>
    [JsonPropertyName("rows")]
    public int Rows { get; init; } = 6;

    /// <summary>How texts are cut into shingles.</summary>
    [JsonPropertyName("shingles")]
    public ShingleRule Shingles { get; init; } = new();

    /// <summary>Other cuts for single languages ("en": words). Texts of different cuts are never copies of each other.</summary>
    [JsonPropertyName("shingles_by_language")]
    public IReadOnlyDictionary<string, ShingleRule> ShinglesByLanguage { get; init; } = new Dictionary<string, ShingleRule>();

    /// <summary>Which of near copies stays: the longest, or the first of the input.</summary>
    [JsonPropertyName("keep")]
    public KeepRule Keep { get; init; } = KeepRule.Longest;

    /// <summary>Places of a sketch: enough for all bands.</summary>
    internal int Places => (Bands * Rows + 63) / 64 * 64;

    internal ShingleRule ShinglesOf(string language) => ShinglesByLanguage.TryGetValue(language, out var rule) ? rule : Shingles;

    /// <summary>What is wrong with it, as a sentence; null if nothing.</summary>
    internal string? Problem()
    {
        if (Threshold is not (> 0 and <= 1)) return "\"threshold\" is above 0 and at most 1.";
        if (Bands is < 1 or > 256 || Rows is < 1 or > 64) return "\"bands\" is from 1 to 256 and \"rows\" from 1 to 64.";
        foreach (var rule in ShinglesByLanguage.Values.Append(Shingles))
        {
            if (rule is null or { Length: < 1 or > 64 }) return "\"length\" of a shingle is from 1 to 64.";
        }

        return null;
    }
}
