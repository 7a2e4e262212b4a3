using System.Text.Json.Serialization;

namespace Hadal.Training.Checkpoints;

/// <summary>What a run remembers of steps that it did not take, and of the gradient norms before: a part of <c>state.json</c>.</summary>
/// <param name="SkippedSteps">Steps so far whose gradients were thrown away.</param>
/// <param name="SkipsInARow">How many of them were the last ones.</param>
/// <param name="Rewinds">How often the run went back to a checkpoint.</param>
/// <param name="PassedMicroBatches">Micro-batches of the data left out by rewinds.</param>
/// <param name="RecentNorms">Gradient norms of the last steps that were taken, the oldest first.</param>
internal sealed record SpikeState(
    [property: JsonPropertyName("skipped_steps")] int SkippedSteps,
    [property: JsonPropertyName("skips_in_a_row")] int SkipsInARow,
    [property: JsonPropertyName("rewinds")] int Rewinds,
    [property: JsonPropertyName("passed_micro_batches")] long PassedMicroBatches,
    [property: JsonPropertyName("recent_norms")] double[] RecentNorms);
