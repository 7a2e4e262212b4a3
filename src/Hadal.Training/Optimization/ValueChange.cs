using System.Text.Json.Serialization;

namespace Hadal.Training.Optimization;

/// <summary>Another value of a setting from a point of the run on.</summary>
/// <param name="From">
/// The point: above 1 a number of tokens seen before a step; up to 1 a share of the run, where 0 is its first step and 1 its last.
/// </param>
/// <param name="Value">The value of the steps from there on, until the next change.</param>
public sealed record ValueChange(
    [property: JsonPropertyName("from"), JsonRequired] double From,
    [property: JsonPropertyName("value"), JsonRequired] double Value);
