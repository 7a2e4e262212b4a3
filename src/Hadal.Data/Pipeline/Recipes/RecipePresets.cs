using System.Text.Json.Nodes;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>What a recipe means that names a preset: the preset's fields where it has none of its own.</summary>
internal static class RecipePresets
{
    private static readonly Dictionary<string, string> _presets = new(StringComparer.Ordinal)
    {
        ["dedup-only"] = "{}",
        ["v3"] = """{"clean": {}, "languages": "missing", "quality": ["v3"], "privacy": {}}""",
    };

    public static IEnumerable<string> Names => _presets.Keys;

    /// <summary>Adds the preset's fields.</summary>
    /// <returns>Whether there is such a preset.</returns>
    public static bool Fill(JsonObject recipe, string preset)
    {
        if (!_presets.TryGetValue(preset, out string? fields)) return false;
        foreach (var (name, value) in JsonNode.Parse(fields)!.AsObject())
        {
            if (!recipe.ContainsKey(name)) recipe[name] = value!.DeepClone();
        }

        return true;
    }
}
