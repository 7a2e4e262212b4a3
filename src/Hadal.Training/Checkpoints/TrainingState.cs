using System.Text.Json.Serialization;

namespace Hadal.Training.Checkpoints;

/// <summary>Where a run stands: <c>state.json</c> of a training checkpoint.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="RunHash">Hash of the run's settings that must not change when it goes on.</param>
internal sealed record TrainingState(
    [property: JsonPropertyName("step")] int Step,
    [property: JsonPropertyName("tokens")] long Tokens,
    [property: JsonPropertyName("run_hash")] string RunHash);

[JsonSerializable(typeof(TrainingState))]
internal sealed partial class TrainingStateJson : JsonSerializerContext;
