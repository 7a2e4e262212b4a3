using System.Text.Json.Serialization;

namespace Hadal.Data.Decontamination;

/// <summary>Which evaluation sets must not be trained on, and when a document counts as holding an item of them.</summary>
public sealed record DecontaminationRecipe
{
    /// <summary>The sets.</summary>
    [JsonPropertyName("sets")]
    public IReadOnlyList<EvaluationSet> Sets { get; init; } = [];

    /// <summary>The rules.</summary>
    [JsonPropertyName("rules")]
    public ContaminationRules Rules { get; init; } = new();

    /// <summary>What is wrong with it; null if nothing.</summary>
    internal string? Problem() => Sets.Count == 0 ? "\"sets\" names at least one evaluation set." : (Sets.Select(s => s.Problem()).FirstOrDefault(p => p is not null) ?? Rules.Problem()) is { } problem ? problem + "." : null;
}
