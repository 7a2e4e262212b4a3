using System.Text.Json.Serialization;

namespace Hadal.Data.Mixtures;

/// <summary>What documents are grouped by, for weighing.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GroupKind>))]
public enum GroupKind
{
    /// <summary>The language; all programming languages are one group, "code".</summary>
    [JsonStringEnumMemberName("language")]
    Language,

    /// <summary>The document's source.</summary>
    [JsonStringEnumMemberName("source")]
    Source,
}
