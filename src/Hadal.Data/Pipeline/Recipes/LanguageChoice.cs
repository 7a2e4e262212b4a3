using System.Text.Json.Serialization;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>For which documents the language is told from the text.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LanguageChoice>))]
public enum LanguageChoice
{
    /// <summary>None: documents keep what their input says.</summary>
    [JsonStringEnumMemberName("off")]
    Off,

    /// <summary>Those that name none.</summary>
    [JsonStringEnumMemberName("missing")]
    Missing,

    /// <summary>All: what inputs say is not believed.</summary>
    [JsonStringEnumMemberName("all")]
    All,
}
