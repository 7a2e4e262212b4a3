using System.Text.Json;
using System.Text.Json.Serialization;
using Hadal.Data.Sources;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>Files or folders of a recipe that are read in one way; in JSON a path alone, or an object.</summary>
[JsonConverter(typeof(Converter))]
public sealed record InputRecipe
{
    /// <summary>A file or a folder, relative to the recipe's folder.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>The field that holds the text, where files have fields.</summary>
    [JsonPropertyName("text_field")]
    public string TextField { get; init; } = "text";

    /// <summary>The field that holds the document's id.</summary>
    [JsonPropertyName("id_field")]
    public string IdField { get; init; } = "id";

    /// <summary>The source of documents that name none; left out, the file's name.</summary>
    [JsonPropertyName("source")]
    public string? Source { get; init; }

    /// <summary>The language of documents that name none.</summary>
    [JsonPropertyName("language")]
    public string? Language { get; init; }

    internal InputOptions Options(int maximumDocumentBytes) => new()
    {
        TextField = TextField,
        IdField = IdField,
        Source = Source,
        Language = Language,
        MaximumDocumentBytes = maximumDocumentBytes,
        MaximumPageBytes = (int)Math.Min(1L << 30, maximumDocumentBytes * 4L),
        MaximumLineBytes = Math.Max(maximumDocumentBytes, (int)Math.Min(1L << 30, maximumDocumentBytes * 3L / 2)),
    };

    private sealed class Converter : JsonConverter<InputRecipe>
    {
        public override bool HandleNull => true;

        public override InputRecipe Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String) return new InputRecipe { Path = reader.GetString()! };
            var fields = JsonSerializer.Deserialize<Fields>(ref reader, options) ?? throw new JsonException("An input is a path or an object with a \"path\".");
            return new InputRecipe
            {
                Path = fields.Path,
                TextField = fields.TextField ?? "text",
                IdField = fields.IdField ?? "id",
                Source = fields.Source,
                Language = fields.Language,
            };
        }

        public override void Write(Utf8JsonWriter writer, InputRecipe value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Fields(value.Path, value.TextField, value.IdField, value.Source, value.Language), options);

        private sealed record Fields(
            [property: JsonPropertyName("path"), JsonRequired] string Path,
            [property: JsonPropertyName("text_field")] string? TextField,
            [property: JsonPropertyName("id_field")] string? IdField,
            [property: JsonPropertyName("source")] string? Source,
            [property: JsonPropertyName("language")] string? Language);
    }
}
