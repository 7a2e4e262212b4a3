using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hadal.Data.Quality;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>
/// A set of quality rules in a recipe: the name of a preset, or an object with thresholds, which may name a preset whose thresholds it changes:
/// <c>{"preset": "gopher", "min_words": 20, "code": {"max_digits": 0.8}}</c>. It is written with all of its thresholds.
/// </summary>
[JsonConverter(typeof(Converter))]
public sealed record QualityRecipe
{
    private const string PresetField = "preset", Own = "rules";
    private static readonly string[] _forms = ["unspaced", "code", "math"];

    /// <summary>What the set is called: the preset's name, or "rules".</summary>
    public string Name { get; init; } = Own;

    /// <summary>The thresholds.</summary>
    public required QualityRules Rules { get; init; }

    private sealed class Converter : JsonConverter<QualityRecipe>
    {
        public override bool HandleNull => true;

        public override QualityRecipe Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String) return Preset(reader.GetString()!);
            // An element first: of it a name that stands twice is an error with its place.
            var element = JsonSerializer.Deserialize<JsonElement>(ref reader, options);
            if (element.ValueKind != JsonValueKind.Object || JsonObject.Create(element) is not { } own) throw new JsonException("A set of quality rules is the name of a preset or an object with thresholds.");
            string? name = null;
            if (own.TryGetPropertyValue(PresetField, out var named) && !(named is JsonValue text && text.TryGetValue(out name)))
                throw new JsonException($"The preset of a set of quality rules is one of {string.Join(", ", QualityPresets.Names)}.");
            own.Remove(PresetField);
            if (name is not null)
            {
                var filled = JsonSerializer.SerializeToNode(Preset(name).Rules, options)!.AsObject();
                Change(filled, own);
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

        // Rules for other forms of text are changed field by field; thresholds by n are one field.
        private static void Change(JsonObject rules, JsonObject own)
        {
            foreach (var (field, value) in own)
            {
                if (_forms.Contains(field) && value is JsonObject changes && rules[field] is JsonObject form) Change(form, changes);
                else rules[field] = value?.DeepClone();
            }
        }

        private static QualityRecipe Preset(string name) => QualityPresets.Find(name) is { } rules ? new QualityRecipe { Name = name, Rules = rules }
            : throw new JsonException($"There is no set of quality rules \"{name}\"; there are {string.Join(", ", QualityPresets.Names)}.");
    }
}
