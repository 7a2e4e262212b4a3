using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hadal.Data.Quality;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>
/// A set of quality rules in a recipe: the name of a preset, or an object with thresholds, which may name a preset whose thresholds it changes:
/// <c>{"preset": "gopher", "min_words": 20}</c>. It is written with all of its thresholds.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed record QualityRecipe
{
    private const string PresetField = "preset", Own = "rules";

    /// <summary>What the set is called: the preset's name, or "rules".</summary>
    public string Name { get; init; } = Own;

    /// <summary>The thresholds.</summary>
    public required QualityRules Rules { get; init; }

    private sealed class Converter : JsonConverter<QualityRecipe>
    {
        public override QualityRecipe Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String) return Preset(reader.GetString()!);
            if (JsonNode.Parse(ref reader) is not JsonObject own) throw new JsonException("A set of quality rules is the name of a preset or an object with thresholds.");
            string? name = own[PresetField]?.GetValue<string>();
            own.Remove(PresetField);
            if (name is not null)
            {
                var filled = JsonSerializer.SerializeToNode(Preset(name).Rules, options)!.AsObject();
                foreach (var (field, value) in own) filled[field] = value?.DeepClone();
                own = filled;
            }

            return new QualityRecipe { Name = name ?? Own, Rules = own.Deserialize<QualityRules>(options)! };
        }

        public override void Write(Utf8JsonWriter writer, QualityRecipe value, JsonSerializerOptions options)
        {
            var rules = JsonSerializer.SerializeToNode(value.Rules, options)!.AsObject();
            if (value.Name != Own) rules.Insert(0, PresetField, value.Name);
            rules.WriteTo(writer, options);
        }

        private static QualityRecipe Preset(string name) => QualityPresets.Find(name) is { } rules ? new QualityRecipe { Name = name, Rules = rules }
            : throw new JsonException($"There is no set of quality rules \"{name}\"; there are {string.Join(", ", QualityPresets.Names)}.");
    }
}
