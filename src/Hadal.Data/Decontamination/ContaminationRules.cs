using System.Text.Json.Serialization;

namespace Hadal.Data.Decontamination;

/// <summary>When a document counts as holding an evaluation item, and what is done then. Words are compared in lower case and without punctuation.</summary>
public sealed record ContaminationRules
{
    /// <summary>Words in a window (GPT-3's 13); 5 to 32.</summary>
    [JsonPropertyName("words")]
    public int Words { get; init; } = 13;

    /// <summary>Characters in a window for items that are mostly Chinese, Japanese or another script without blanks; 5 to 32.</summary>
    [JsonPropertyName("characters")]
    public int Characters { get; init; } = 20;

    /// <summary>The share of the windows of a question, an answer or a text that has to be in the document, above 0 and at most 1.</summary>
    [JsonPropertyName("min_share")]
    public double MinShare { get; init; } = 0.5;

    /// <summary>A question or text shorter than a window is looked for as a whole if it has so many words or more; 4 to 32.</summary>
    [JsonPropertyName("min_short_words")]
    public int MinShortWords { get; init; } = 4;

    /// <summary>And if its words have so many letters and digits or more together.</summary>
    [JsonPropertyName("min_short_letters")]
    public int MinShortLetters { get; init; } = 16;

    /// <summary>The same for items without blanks: so many characters or more; 4 to 32.</summary>
    [JsonPropertyName("min_short_characters")]
    public int MinShortCharacters { get; init; } = 12;

    /// <summary>What becomes of the document.</summary>
    [JsonPropertyName("action")]
    public ContaminationAction Action { get; init; } = ContaminationAction.Drop;

    /// <summary>Characters that are cut out on either side of what matches (GPT-3's 200).</summary>
    [JsonPropertyName("window")]
    public int Window { get; init; } = 200;

    /// <summary>Pieces of a cut document with fewer characters are left out too (GPT-3's 200).</summary>
    [JsonPropertyName("min_piece")]
    public int MinPiece { get; init; } = 200;

    /// <summary>What is wrong with it and what would be right, in one clause; null if nothing.</summary>
    public string? Problem()
    {
        if (Words is < 5 or > 32 || Characters is < 5 or > 32) return "windows of \"words\" and \"characters\" are from 5 to 32 long";
        if (MinShare is not (> 0 and <= 1)) return "\"min_share\" is above 0 and at most 1";
        if (MinShortWords is < 4 or > 32 || MinShortCharacters is < 4 or > 32) return "\"min_short_words\" and \"min_short_characters\" are from 4 to 32";
        return MinShortLetters < 0 || Window < 0 || MinPiece < 0 ? "\"min_short_letters\", \"window\" and \"min_piece\" are not negative" : null;
    }
}
