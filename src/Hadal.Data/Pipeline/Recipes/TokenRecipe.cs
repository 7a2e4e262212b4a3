using System.Text.Json.Serialization;
using Hadal.Data.Mixtures;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>How documents become rows of tokens.</summary>
public sealed record TokenRecipe
{
    /// <summary>A <c>tokenizer.json</c> or a folder with one, relative to the recipe's folder.</summary>
    [JsonPropertyName("tokenizer")]
    public required string Tokenizer { get; init; }

    /// <summary>L, tokens of a row, 2 to 2²⁴. A document that fits is never cut.</summary>
    [JsonPropertyName("row_tokens")]
    public int RowTokens { get; init; } = 4096;

    /// <summary>Share of the documents that are turned into prefix, suffix, middle (report section 4.1: 0.1).</summary>
    [JsonPropertyName("fim_rate")]
    public double FimRate { get; init; } = 0.1;

    /// <summary>Share of the tokens that join punctuation and line breaks which are split in two (report section 4.1; the share is not published).</summary>
    [JsonPropertyName("punctuation_newline_split_rate")]
    public double PunctuationNewlineSplitRate { get; init; } = 0.1;

    /// <summary>How often each group of documents is seen.</summary>
    [JsonPropertyName("mixture")]
    public MixtureSettings Mixture { get; init; } = new();

    /// <summary>Share of the documents that are kept apart for validation, 0 to 0.5.</summary>
    [JsonPropertyName("validation_share")]
    public double ValidationShare { get; init; }

    /// <summary>Most bytes of tokens in a shard.</summary>
    [JsonPropertyName("shard_bytes")]
    public long ShardBytes { get; init; } = 256L << 20;

    /// <summary>Pieces of documents that are packed together; a task of the build.</summary>
    [JsonPropertyName("pieces_packed_together")]
    public int PiecesPackedTogether { get; init; } = 1 << 17;

    /// <summary>What is wrong with it; null if nothing.</summary>
    internal string? Problem()
    {
        if (Tokenizer.Length == 0) return "\"tokenizer\" names a tokenizer.json or a folder with one.";
        if (RowTokens is < 2 or > 1 << 24) return "\"row_tokens\" is from 2 to 16,777,216.";
        if (FimRate is not (>= 0 and <= 1)) return "\"fim_rate\" is from 0 to 1.";
        if (PunctuationNewlineSplitRate is not (>= 0 and <= 1)) return "\"punctuation_newline_split_rate\" is from 0 to 1.";
        if (ValidationShare is not (>= 0 and <= 0.5)) return "\"validation_share\" is from 0 to 0.5.";
        if (ShardBytes is < 1024 or > 1L << 40) return "\"shard_bytes\" is from 1,024 to 2⁴⁰.";
        if (PiecesPackedTogether is < 1024 or > 1 << 24) return "\"pieces_packed_together\" is from 1,024 to 16,777,216.";
        return Mixture.Problem() is { } problem ? $"\"mixture\": {problem}" : null;
    }
}
