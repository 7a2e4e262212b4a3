using System.Text.Json.Serialization;

namespace Hadal.Data.Deduplication;

/// <summary>Which of several near copies stays.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<KeepRule>))]
public enum KeepRule
{
    /// <summary>The one with most bytes; of equally long ones the first of the input.</summary>
    [JsonStringEnumMemberName("longest")]
    Longest,

    /// <summary>The first of the input.</summary>
    [JsonStringEnumMemberName("first")]
    First,
}
