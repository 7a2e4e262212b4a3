using System.Text.Json.Serialization;

namespace Hadal.Data.Deduplication;

/// <summary>What a window over a text counts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ShingleKind>))]
public enum ShingleKind
{
    /// <summary>Code points: for every language, and the only kind for those that write no blanks.</summary>
    [JsonStringEnumMemberName("characters")]
    Characters,

    /// <summary>Words between blanks.</summary>
    [JsonStringEnumMemberName("words")]
    Words,
}
