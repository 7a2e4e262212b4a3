using System.Text.Json.Serialization;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>Documents that are written as they leave a stage: <c>exports/STAGE/part-000000.FORMAT</c> and so on.</summary>
public sealed record ExportRecipe
{
    internal static IReadOnlyList<string> Formats { get; } = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"];

    /// <summary>The stage, as <c>stages.jsonl</c> calls it.</summary>
    [JsonPropertyName("after")]
    public required string After { get; init; }

    /// <summary>How: <c>jsonl</c>, <c>jsonl.gz</c>, <c>jsonl.zst</c> or <c>parquet</c>.</summary>
    [JsonPropertyName("format")]
    public string Format { get; init; } = "jsonl.zst";
}
