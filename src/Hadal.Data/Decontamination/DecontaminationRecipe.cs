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
    internal string? Problem()
    {
        if (Sets.Count == 0) return "\"sets\" names at least one evaluation set.";
        foreach (var set in Sets)
        {
            if (set is null) return "an evaluation set is an object with \"name\", \"path\" and fields, not null.";
            if (set.Problem() is { } wrong) return wrong + ".";
        }

        return Rules.Problem() is { } problem ? problem + "." : null;
    }
}
