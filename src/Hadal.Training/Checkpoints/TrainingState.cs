using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Training.Checkpoints;

/// <summary>Where a run stands: <c>state.json</c> of a training checkpoint.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="RunHash">Hash of the run's settings that must not change when it goes on.</param>
/// <param name="Spikes">What was remembered of skipped steps.</param>
internal sealed record TrainingState(
    [property: JsonPropertyName("step")] int Step,
    [property: JsonPropertyName("tokens")] long Tokens,
    [property: JsonPropertyName("run_hash")] string RunHash,
    [property: JsonPropertyName("spikes")] SpikeState? Spikes)
{
    /// <summary><see cref="Batches.IBatchSource.Fingerprint"/> of what was trained on.</summary>
    [JsonPropertyName("data")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Data { get; init; }

    /// <summary>The name under which the final model says which run it is the end of.</summary>
    public const string FileInModel = "training.json";

    /// <summary>The state that a file holds; null if it is missing or damaged.</summary>
    public static TrainingState? TryRead(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TrainingStateJson.Default.TrainingState);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(TrainingState))]
internal sealed partial class TrainingStateJson : JsonSerializerContext;
