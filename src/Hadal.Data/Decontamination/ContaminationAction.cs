using System.Text.Json.Serialization;

namespace Hadal.Data.Decontamination;

/// <summary>What becomes of a document that holds an evaluation item.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContaminationAction>))]
public enum ContaminationAction
{
    /// <summary>It is left out.</summary>
    [JsonStringEnumMemberName("drop")]
    Drop,

    /// <summary>What matches is cut out with a window around it; it is left out if too little remains.</summary>
    [JsonStringEnumMemberName("cut")]
    Cut,
}
