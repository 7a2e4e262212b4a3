using System.Text.Json.Serialization;

namespace Hadal.Data.Normalization;

/// <summary>What <see cref="TextCleaning.Clean"/> changes. The defaults suit text of any language and code alike.</summary>
public sealed record CleaningOptions
{
    /// <summary>The defaults.</summary>
    public static CleaningOptions Default { get; } = new();

    /// <summary>Repairs text that was written in one encoding and read in another, where the repair proves itself (see <see cref="MojibakeRepair"/>).</summary>
    [JsonPropertyName("repair_mojibake")]
    public bool RepairMojibake { get; init; } = true;

    /// <summary>Brings the text into Unicode's normalisation form C (Standard Annex 15).</summary>
    [JsonPropertyName("compose_characters")]
    public bool ComposeCharacters { get; init; } = true;

    /// <summary>Turns the no-break spaces U+00A0, U+2007 and U+202F into blanks. The ideographic space U+3000 always stays: it indents Japanese paragraphs.</summary>
    [JsonPropertyName("replace_no_break_spaces")]
    public bool ReplaceNoBreakSpaces { get; init; } = true;

    /// <summary>Removes private-use characters, which mean nothing outside the font they were made for.</summary>
    [JsonPropertyName("remove_private_use")]
    public bool RemovePrivateUse { get; init; } = true;

    /// <summary>Removes blanks and tabs at the ends of lines.</summary>
    [JsonPropertyName("trim_line_ends")]
    public bool TrimLineEnds { get; init; } = true;

    /// <summary>The longest run of empty lines that stays, 0 or more. Two, the distance between definitions in Python.</summary>
    [JsonPropertyName("maximum_blank_lines")]
    public int MaximumBlankLines { get; init; } = 2;

    /// <summary>The greatest share of a text's characters that may be damaged (<see cref="CleaningCounts.Damage"/>); texts with more are not worth cleaning. Null for no limit.</summary>
    [JsonPropertyName("maximum_damage")]
    public double? MaximumDamage { get; init; } = 0.005;

    /// <summary>What is wrong with it; null if nothing.</summary>
    internal string? Problem() => MaximumDamage is not null and not (>= 0 and <= 1) ? "\"maximum_damage\" is from 0 to 1." : MaximumBlankLines is < 0 or > 1000 ? "\"maximum_blank_lines\" is from 0 to 1,000." : null;
}
